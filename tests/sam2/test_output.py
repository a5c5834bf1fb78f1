"""What both backends leave: a mask for each frame of the source, and a summary."""

from __future__ import annotations

import numpy as np

from moseg.core.census import ObjectCensus
from moseg.core.frame_record import FrameRecord
from moseg.core.masks import read_mask_png
from moseg.core.scene import Scene
from moseg.core.stage import Task
from moseg.preproc.frames.source import FramesParams, SourceFrames
from moseg.sam2.output import report_of, write_masks
from tests.media import write_images


def test_masks_go_back_to_every_frame_of_the_source_at_its_size(tmp_path):
    pictures = [np.full((40, 60, 3), 10 * n, np.uint8) for n in range(5)]
    scene = Scene("scene", write_images(tmp_path / "scene", pictures), "images")
    chosen = FramesParams(max_frames=3, max_side=30)
    SourceFrames(chosen).run(Task(scene, {}, tmp_path / "frames.json"))
    record = FrameRecord.load(tmp_path / "frames.json")
    (tmp_path / "out").mkdir()
    masks = [np.zeros((20, 30), np.uint8) for _ in range(3)]
    masks[0][5:10, 5:10] = 1
    masks[1][5:10, 5:10] = 1
    masks[2][:10, :10] = 2
    census = write_masks(Task(scene, {}, tmp_path / "out"), record, iter(masks), 0, 0)
    found = [read_mask_png(path) for path in sorted((tmp_path / "out").iterdir())]
    assert [ids.shape for ids in found] == [(40, 60)] * 5
    assert [sorted(np.unique(ids)) for ids in found] == [[0, 1], [0, 1], [0, 1], [0, 2], [0, 2]]
    assert np.array_equal(found[0] == 1, np.kron(masks[0], np.ones((2, 2), np.uint8)) > 0)
    summary = report_of(census, {1: 0.87654, 2: 0.5}, 9).summary
    assert summary["masks"] == 5
    first, second = summary["objects"]
    assert (first["id"], first["first_frame"], first["frames"], first["score"]) == (
        1, "00000", 3, 0.8765,
    )  # fmt: skip
    assert (second["last_frame"], second["score"]) == ("00004", 0.5)


def test_that_nothing_moves_is_said_first():
    census = ObjectCensus(["00000"])
    census.add(np.zeros((4, 4), np.uint8))
    report = report_of(census, {}, 0, ["batches were halved"])
    assert report.notes == ("nothing moves: all masks are empty", "batches were halved")
    assert report_of(census, {}, 3).notes == (
        "3 tracks move, but make no object: all masks are empty",
    )
    assert report.summary["objects"] == []
    census = ObjectCensus(["00000"])
    census.add(np.ones((4, 4), np.uint8))
    assert report_of(census, {}, 5).notes == ()
    assert "score" not in report_of(census, {}, 5).summary["objects"][0]


def test_specks_and_holes_are_counted_in_pixels_of_the_source(tmp_path):
    pictures = [np.full((40, 60, 3), 10 * n, np.uint8) for n in range(2)]
    scene = Scene("scene", write_images(tmp_path / "scene", pictures), "images")
    SourceFrames(FramesParams(max_side=30)).run(Task(scene, {}, tmp_path / "frames.json"))
    record = FrameRecord.load(tmp_path / "frames.json")
    (tmp_path / "out").mkdir()
    mask = np.zeros((20, 30), np.uint8)
    mask[2:12, 2:12] = 1
    mask[5, 5] = 0
    mask[15, 20] = 1
    census = write_masks(Task(scene, {}, tmp_path / "out"), record, iter([mask, mask]), 5, 4)
    found = read_mask_png(tmp_path / "out/00000.png")
    assert not found[30:32, 40:42].any(), "a speck of 4 pixels, of less than 5"
    assert not found[10:12, 10:12].any(), "a hole of 4 pixels, of not less than 4"
    assert census.objects[1].area == 2 * 396
