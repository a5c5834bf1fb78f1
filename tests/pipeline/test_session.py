"""What a run writes, and what it computes again when something changed since the last one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from moseg.core.palette import davis_palette
from moseg.version import __version__
from tests.pipeline.runs import STAGES, TIMED, run, start, tree

FRAMES, HEIGHT, WIDTH, FPS = 16, 96, 160, 24


def after(stage: str) -> list[str]:
    return list(STAGES[STAGES.index(stage) :])


def summary(out):
    return json.loads((out / "run.json").read_text())["scenes"][0]


def test_a_run_writes_what_it_promises_and_nothing_else(objects_run):
    found = [name for name in tree(objects_run) if not name.startswith("cache/")]
    masks = [f"masks/sample/{i:05d}.png" for i in range(FRAMES)]
    folders = ["masks/", "masks/sample/", "previews/", "videos/"]
    assert sorted(found) == sorted([*folders, *masks, "previews/sample.png", "videos/sample.mp4"])
    assert (objects_run / "run.json").is_file()


def test_masks_are_palette_pngs_of_the_source_size_with_the_ids_of_run_json(objects_run):
    found = set()
    for path in sorted((objects_run / "masks/sample").iterdir()):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "P", (WIDTH, HEIGHT))
            assert image.getpalette() == davis_palette().reshape(-1).tolist()
            found |= set(np.unique(np.asarray(image)).tolist())
    ids = [entry["id"] for entry in summary(objects_run)["objects"]]
    assert ids
    assert found == {0, *ids}


def test_the_overlay_has_the_frames_and_times_of_the_source(objects_run, objects_clip):
    def stamps(path):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert float(stream.average_rate) == pytest.approx(FPS)
            assert (stream.height, stream.width) == (HEIGHT, WIDTH)
            return [frame.time for frame in container.decode(stream)]

    assert stamps(objects_run / "videos/sample.mp4") == pytest.approx(stamps(objects_clip))


def test_the_preview_is_a_picture(objects_run):
    with Image.open(objects_run / "previews/sample.png") as image:
        assert image.mode == "RGB"
        assert image.width >= 900
        assert len(image.getcolors(1 << 24)) > 1000


def test_run_json_says_what_was_done(objects_run, objects_clip):
    report = json.loads((objects_run / "run.json").read_text())
    assert report["moseg"] == __version__
    assert (report["status"], report["scenes_done"], report["scenes_failed"]) == ("done", 1, 0)
    assert report["config"]["masks"]["decay"] == 0.8
    assert 0 < sum(s["seconds"] for s in report["scenes"][0]["stages"]) <= report["seconds"]
    scene = report["scenes"][0]
    assert (scene["name"], scene["source"]) == ("sample", str(objects_clip))
    assert (scene["status"], scene["error"], scene["notes"]) == ("done", None, [])
    assert (scene["frames"], scene["masks"]) == (FRAMES, FRAMES)
    assert (scene["height"], scene["width"], scene["fps"]) == (HEIGHT, WIDTH, FPS)
    assert set(scene["outputs"]) == {"masks", "overlay", "preview"}
    assert all(Path(place).exists() for place in scene["outputs"].values())
    assert [stage["stage"] for stage in scene["stages"]] == list(STAGES)
    for stage in scene["stages"]:
        assert (stage["status"], stage["reason"]) == ("done", "not made yet")
        assert 10 < stage["peak_memory_mb"] < 4000
    for entry in scene["objects"]:
        assert 1 <= entry["frames"] <= FRAMES
        assert 0 < entry["mean_area"] < 1
        assert "00000" <= entry["first_frame"] <= entry["last_frame"] <= f"{FRAMES - 1:05d}"


def test_a_finished_run_started_again_computes_nothing_and_says_so(out, objects_clip):
    places = {path: path.stat().st_ino for path in out.rglob("*") if path.name not in TIMED}
    process = start("run", objects_clip, "--out", out)
    said, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "nothing to do: 1 scene finished by an earlier run" in said
    assert told == ""
    assert {p: p.stat().st_ino for p in out.rglob("*") if p.name not in TIMED} == places
    assert {stage["status"] for stage in summary(out)["stages"]} == {"reused"}


@pytest.mark.parametrize(
    ("setting", "stages", "reason"),
    [
        ("overlay.alpha=0.7", ["overlay"], "parameter changed: alpha 0.5 -> 0.7"),
        ("preview.columns=3", ["preview"], "parameter changed: columns 6 -> 3"),
        ("masks.decay=0.7", after("masks"), "parameter changed: decay 0.8 -> 0.7"),
        ("labels.threshold=0.6", after("labels"), "parameter changed: threshold 0.5 -> 0.6"),
        ("dinos.cell=8", after("dinos"), "parameter changed: cell 4 -> 8"),
        ("tracks.spacing=8", ["tracks", *after("labels")], "parameter changed: spacing 5 -> 8"),
        ("flow.pixels=8000", after("flow"), "parameter changed: pixels 103000 -> 8000"),
        ("frames.max_frames=8", list(STAGES), "parameter changed: max_frames None -> 8"),
    ],
)
def test_a_changed_parameter_computes_what_depends_on_it(
    out, objects_clip, setting, stages, reason
):
    report, seen = run(objects_clip, out, setting)
    assert report.exit_code == 0
    assert list(seen.computed) == stages
    assert seen.computed.pop(stages[0]) == reason
    assert all("it depends on" in why for why in seen.computed.values() if why != reason)


def test_what_is_computed_after_a_change_equals_a_fresh_run(out, objects_clip, tmp_path):
    settings = ("tracks.spacing=8", "overlay.alpha=0.7")
    run(objects_clip, out, *settings)
    run(objects_clip, tmp_path / "fresh", *settings)
    assert tree(out) == tree(tmp_path / "fresh")


def test_the_reason_is_printed(out, objects_clip):
    process = start("run", objects_clip, "--out", out, "--set", "overlay.alpha=0.7")
    told = process.communicate(timeout=60)[1]
    assert "sample: overlay (parameter changed: alpha 0.5 -> 0.7)" in told
    assert "flow" not in told


def test_another_input_of_the_same_name_computes_all_again(out, objects_clip, pan_clip, pan_run):
    source = out.parent / "sample.mp4"
    shutil.copy(objects_clip, source)
    assert run(source, out)[1].computed == {}
    shutil.copy(pan_clip, source)
    seen = run(source, out)[1]
    assert list(seen.computed) == list(STAGES)
    assert seen.computed["frames"] == "the input changed"
    assert tree(out) == tree(pan_run)


def test_a_moved_and_touched_input_computes_nothing(out, objects_clip):
    (out.parent / "elsewhere").mkdir()
    source = shutil.copyfile(objects_clip, out.parent / "elsewhere/sample.mp4")
    os.utime(source, (0, 0))
    assert run(source, out)[1].computed == {}


@pytest.mark.parametrize("manifest_too", [False, True])
def test_a_deleted_flow_cache_is_missed_only_when_it_is_read(
    out, objects_clip, objects_run, manifest_too
):
    shutil.rmtree(out / "cache/sample/flow")
    if manifest_too:
        (out / "cache/sample/flow.manifest.json").unlink()
    report, seen = run(objects_clip, out)
    assert report.nothing_to_do
    assert seen.computed == {}
    (out / "masks/sample/00003.png").unlink()
    assert list(run(objects_clip, out)[1].computed) == ["flow", "masks"]
    assert tree(out) == tree(objects_run)


def alter_same_size(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.unlink(), "is missing"),
        (cut, "was altered"),
        (alter_same_size, "was altered"),
    ],
)
@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("masks/sample/00003.png", "masks"),
        ("videos/sample.mp4", "overlay"),
        ("previews/sample.png", "preview"),
    ],
)
def test_a_damaged_result_is_noticed_and_mended(
    out, objects_clip, objects_run, name, stage, damage, reason
):
    damage(out / name)
    seen = run(objects_clip, out)[1]
    assert seen.computed == {stage: f"{name.rpartition('/')[2]} {reason}"}
    assert tree(out) == tree(objects_run)
