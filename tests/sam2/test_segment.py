"""The whole densifier, driven by a scripted predictor."""

from __future__ import annotations

import numpy as np
import pytest

from moseg.sam2.mask_store import MaskStore
from moseg.sam2.predictor import Prediction
from moseg.sam2.segment import SegmentSettings, segment
from moseg.sam2.tracks import TrackWindow
from tests.sam2.scripted import (
    SIZE,
    Mover,
    Scene,
    ScriptedObject,
    ScriptedPredictor,
    line,
    renamed,
    solved,
    two_that_cross,
)


def test_two_that_cross_keep_their_ids(tmp_path):
    scene = two_that_cross()
    found, ids, predictor = solved(scene, tmp_path)
    assert [one.members for one in found.objects] == [(1,), (2,)]
    assert np.array_equal(ids, scene.labels)
    assert predictor.opened == [range(20)]


def test_both_ways_from_the_earliest_prompt(tmp_path):
    # Seen best in the middle; hidden in frame 0, so that it is not prompted there.
    way = line(40, (-30, 10), (3, 0))
    scene = Scene(40, SIZE, [Mover(1, (20, 20), way, tracks=16)])
    found, ids, predictor = solved(scene, tmp_path)
    [one] = predictor.objects
    earliest = min(one.names)
    assert earliest > 0
    assert one.passes == [list(range(earliest, 40)), list(range(earliest, -1, -1))]
    assert np.array_equal(ids[10:], scene.labels[10:])
    assert found.objects[0].frames == len(np.flatnonzero(ids.any((1, 2))))


@pytest.mark.parametrize("better", ["forward", "backward"])
def test_both_passes_of_the_earliest_frame_are_kept(tmp_path, better):
    class Doubtful(ScriptedPredictor):
        def new_object(self):
            return DoubtfulObject(self)

    class DoubtfulObject(ScriptedObject):
        def propagate(self, frames):
            way = "backward" if frames[-1] < frames[0] else "forward"
            for one in super().propagate(frames):
                mask = one.mask.copy()
                mask[:, ::2] &= way == "forward"
                mask[:, 1::2] &= way == "backward"
                yield Prediction(one.frame, mask, 0.7 if way == better else 0.5)

    way = line(20, (5, 10), (1, 0))
    scene = Scene(20, SIZE, [Mover(1, (20, 20), way, tracks=12)])
    scene.visible[:, :10] = scene.visible[:, 11:] = False
    found, ids, _ = solved(scene, tmp_path, Doubtful(scene.labels))
    assert np.array_equal(ids[10], scene.labels[10])
    assert found.scores == {1: pytest.approx(0.7)}


def nested(together: int, frames: int = 20) -> tuple[Scene, ScriptedPredictor]:
    """A small one in front of a large one in the last `together` frames, else beside it."""
    large = Mover(1, (30, 40), line(frames, (2, 20), (0, 0)), tracks=12)
    way = line(frames, (70, 30), (0, 0))
    way[frames - together :] = (18, 32)
    small = Mover(2, (8, 8), way, tracks=36)
    scene = Scene(frames, SIZE, [large, small])
    inside = scene.labels[frames - together :]
    inside[inside == 2] = 3
    return scene, ScriptedPredictor(scene.labels, wholes={1: (1, 3), 2: (2, 3)})


@pytest.mark.parametrize(("together", "members"), [(5, [(1,), (2,)]), (6, [(1, 2)])])
def test_one_inside_another_is_merged_from_three_tenths_of_the_frames_on(
    tmp_path, together, members
):
    scene, predictor = nested(together)
    found, _, _ = solved(scene, tmp_path, predictor)
    assert [one.members for one in found.objects] == members


def test_a_late_object_is_found_and_is_not_there_before(tmp_path):
    scene = Scene(
        30,
        SIZE,
        [
            Mover(1, (20, 20), line(30, (0, 5), (1, 0)), tracks=25),
            Mover(2, (20, 20), line(30, (140, 35), (-3, 0)), tracks=16),
        ],
    )
    found, ids, _ = solved(scene, tmp_path)
    assert np.array_equal(ids[:14], renamed(scene.labels[:14], {1: 1}))
    second = found.objects[1]
    assert 13 < second.first_frame < 20
    assert np.array_equal(ids[second.first_frame :], scene.labels[second.first_frame :])


def test_masks_end_with_the_tracks_in_them(tmp_path):
    scene = two_that_cross()
    scene.visible[:, :5] = scene.visible[:, 15:] = False
    found, ids, _ = solved(scene, tmp_path)
    assert np.array_equal(ids[5:15], scene.labels[5:15])
    assert not ids[:5].any()
    assert not ids[15:].any()
    assert [(one.first_frame, one.last_frame) for one in found.objects] == [(5, 14)] * 2


def test_tracks_of_any_group_keep_an_object_alive(tmp_path):
    # The first twelve tracks end; others come that are too few for an object of their own.
    scene = Scene(20, SIZE, [Mover(1, (20, 20), line(20, (5, 5), (1, 0)), tracks=12)])
    extra = Scene(20, SIZE, [Mover(1, (20, 20), line(20, (5, 5), (1, 0)), tracks=4)])
    scene.visible[:, 10:] = False
    extra.visible[:, :12] = False
    extra.visible[:, 17:] = False
    scene.xy = np.concatenate([scene.xy, extra.xy])
    scene.visible = np.concatenate([scene.visible, extra.visible])
    _, ids, _ = solved(scene, tmp_path)
    assert [bool(frame.any()) for frame in ids] == [True] * 17 + [False] * 3


@pytest.mark.parametrize("window", [200, 7])
def test_nothing_moves(tmp_path, window):
    scene = Scene(15, SIZE, [])
    found, ids, predictor = solved(scene, tmp_path, window=window)
    assert found.objects == ()
    assert found.notes == ()
    assert not ids.any()
    assert predictor.clicks == []
    assert predictor.objects == []


def test_tracks_on_the_background_are_clicked_once_each(tmp_path):
    scene = Scene(15, SIZE, [Mover(1, (20, 20), line(15, (5, 5), (1, 0)), tracks=30)])
    scene.labels[:] = 0
    found, ids, predictor = solved(scene, tmp_path)
    assert found.objects == ()
    assert not ids.any()
    clicked = [(frame, *points[0].tolist()) for frame, points in predictor.clicks]
    assert len(clicked) == len(set(clicked)) == 5


def test_fewer_than_six_tracks_are_enough_by_themselves(tmp_path):
    scene = Scene(15, SIZE, [Mover(4, (20, 20), line(15, (5, 5), (1, 0)), tracks=3)])
    found, ids, _ = solved(scene, tmp_path)
    assert len(found.objects) == 1
    assert np.array_equal(ids, renamed(scene.labels, {4: 1}))


def test_one_frame_is_a_scene(tmp_path):
    scene = Scene(1, SIZE, [Mover(4, (20, 20), line(1, (5, 5), (0, 0)), tracks=9)])
    _, ids, _ = solved(scene, tmp_path)
    assert np.array_equal(ids, renamed(scene.labels, {4: 1}))


@pytest.mark.parametrize(("scores", "front"), [({1: 0.4, 2: 0.8}, 2), ({1: 0.8, 2: 0.4}, 1)])
def test_scores_decide_who_is_in_front(tmp_path, scores, front):
    scene = Scene(
        16,
        SIZE,
        [
            Mover(1, (20, 20), line(16, (10, 5), (1, 0)), tracks=25),
            Mover(2, (20, 20), line(16, (30, 5), (1, 0)), tracks=16),
        ],
    )
    # Both objects claim a strip between them.
    disputed = np.zeros_like(scene.labels, bool)
    for frame in range(16):
        disputed[frame, 5:25, 27 + frame : 33 + frame] = True
    scene.labels[disputed] = 3
    for frame in range(16):
        x, y = scene.xy[:, frame].astype(int).T
        scene.visible[:, frame] &= ~disputed[frame, y, x]
    predictor = ScriptedPredictor(scene.labels, {1: (1, 3), 2: (2, 3)}, scores)
    found, ids, _ = solved(scene, tmp_path, predictor)
    assert found.scores == {1: pytest.approx(scores[1]), 2: pytest.approx(scores[2])}
    assert np.array_equal(ids, renamed(scene.labels, {1: 1, 2: 2, 3: front}))


@pytest.mark.parametrize("window", [200, 11])
def test_progress_goes_up_to_all_frames(tmp_path, window):
    scene = two_that_cross(31)
    told = []
    with MaskStore(tmp_path / "masks", SIZE) as store:
        segment(
            ScriptedPredictor(scene.labels),
            scene,
            31,
            store,
            SegmentSettings(window=window),
            lambda done, total: told.append((done, total)),
        )
    assert told == sorted(told)
    assert told[-1] == (31, 31)
    assert len({done for done, _ in told}) > 20
    assert {total for _, total in told} == {31}


def test_tracks_of_other_frames_are_refused(tmp_path):
    class Wrong:
        total = 0

        def window(self, frames):
            return TrackWindow(
                frames.start + 1, np.zeros((0, 5, 2), np.float32), np.zeros((0, 5), bool)
            )

    with (
        MaskStore(tmp_path / "masks", SIZE) as store,
        pytest.raises(ValueError, match=r"tracks of 1\.\.5 given"),
    ):
        segment(ScriptedPredictor(np.zeros((5, *SIZE), np.uint8)), Wrong(), 5, store)


def test_equal_runs_are_equal(tmp_path):
    scene = two_that_cross(40)
    one, ids, _ = solved(scene, tmp_path, window=15)
    other, again, _ = solved(scene, tmp_path, window=15)
    assert one.objects == other.objects
    assert np.array_equal(ids, again)


def test_few_tracks_are_few_in_the_scene_not_in_a_window(tmp_path):
    """Two strays in a later window make no object where a scene has many tracks."""
    scene = Scene(31, SIZE, [
        Mover(1, (20, 20), line(31, (5, 5), (1, 0)), tracks=12),
        Mover(2, (14, 14), line(31, (60, 30), (0, 0)), tracks=2),
    ])  # fmt: skip
    scene.visible[:12, 10:] = False
    scene.visible[12:, :21] = False
    found, _, _ = solved(scene, tmp_path, window=11)
    assert [one.members for one in found.objects] == [(1,)]
    found, _, _ = solved(scene, tmp_path)
    assert [one.members for one in found.objects] == [(1,)]


def test_windows_without_tracks_are_not_opened(tmp_path):
    scene = Scene(31, SIZE, [Mover(1, (20, 20), line(31, (5, 5), (1, 0)), tracks=12)])
    scene.visible[:, :21] = False
    _, ids, predictor = solved(scene, tmp_path, window=11)
    assert predictor.opened == [range(20, 31)]
    assert not ids[:20].any()
    assert np.array_equal(ids[21:], scene.labels[21:])
