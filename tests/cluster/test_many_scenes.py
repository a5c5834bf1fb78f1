"""Eighty scenes of which six are broken: the report, and what the next run does."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.commands import good_frames
from tests.cluster.runs import ON_RAY, computed, events, last_run, running
from tests.limits import without_privileges
from tests.media import write_image, write_images, write_video
from tests.pipeline.runs import MOSEG, STAGES, TIMED

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

SCENES = 80
LONG = 300
FRAMES = [frame[:32, :48] for frame in good_frames(2)]


def empty(folder):
    (folder / "empty.mp4").touch()


def truncated(folder):
    path = write_video(folder / "truncated.mp4", good_frames(8))
    os.truncate(path, path.stat().st_size // 2)


def text(folder):
    (folder / "text.mp4").write_text("This is a text.\n" * 50)


def no_size(folder):
    (write_images(folder / "no_size", FRAMES) / "00001.png").write_bytes(b"")


def mixed_sizes(folder):
    write_image(write_images(folder / "mixed_sizes", FRAMES) / "00001.png", FRAMES[1][:20])


def locked(folder):
    write_video(folder / "locked.mp4", FRAMES).chmod(0)


BROKEN = {
    empty: "empty.mp4 is empty (0 bytes)",
    truncated: "truncated.mp4 holds a video stream, but not one frame of it decodes",
    text: "text.mp4 is a text file",
    no_size: "no_size/00001.png is empty, damaged or no image",
    mixed_sizes: "mixed_sizes: '00000.png' is 48x32 but '00001.png' is 48x20",
    locked: "locked.mp4 cannot be read: Permission denied",
}


def test_a_folder_of_scenes_of_which_six_are_broken(tmp_path):
    before = without_privileges()
    if before is None:
        pytest.skip("permissions do not hold root back, and its rights cannot be given up here")
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for make in BROKEN:
        make(folder)
    good = [f"{number:03d}" for number in range(SCENES - len(BROKEN))]
    for name in good:
        write_images(folder / name, FRAMES)
    program = (*before, MOSEG, "run")
    command = (folder, "--out", out, *ON_RAY, "--set", "flow.pixels=1000")
    with running(*command, program=program) as run:
        assert run.wait(LONG) == 2
    check_report(folder, out, run.told)
    assert len(computed(out)) == len(good) * len(STAGES)
    before = stamps(out)
    with running(*command, program=program) as run:
        assert run.wait(LONG) == 2
    check_report(folder, out, run.told)
    assert stamps(out) == before
    second = {e["scene"] for e in events(out, "start") if e["run"] == last_run(out)}
    assert second <= {make.__name__ for make in BROKEN}
    assert len(computed(out)) == len(good) * len(STAGES)


def check_report(folder, out, told):
    """All that can be done is done, and of each broken one its own words are said once."""
    report = json.loads((out / "run.json").read_text())
    good = SCENES - len(BROKEN)
    assert (report["scenes_done"], report["scenes_failed"]) == (good, len(BROKEN))
    failed = {scene["name"]: scene for scene in report["scenes"] if scene["status"] == "failed"}
    assert failed.keys() == {make.__name__ for make in BROKEN}
    errors = [line for line in told.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(BROKEN)
    for make, words in BROKEN.items():
        scene = failed[make.__name__]
        assert scene["error"].startswith(f"{folder}/{words}")
        assert f"error: {scene['error']}" in errors
        (stage,) = (stage for stage in scene["stages"] if stage["status"] == "failed")
        assert (stage["error"], stage["attempts"]) == ("InputError", 1)
    assert len(list((out / "masks").iterdir())) == good


def stamps(out):
    """When each file below an output folder was last changed, but for the records of runs."""
    files = (path for path in out.rglob("*") if path.name not in TIMED)
    return {path: path.stat().st_mtime_ns for path in files if path.is_file()}
