"""Runs that are killed, at exact points and at chance ones, and then started again.

Afterwards everything equals an undisturbed run, byte for byte and with no file too many.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from moseg.core.files import partial_path
from tests.pipeline.runs import STAGES, run, start, tree, wait_until

pytestmark = pytest.mark.slow


def partial_manifest(stage: str) -> str:
    return partial_path(Path(f"{stage}.manifest.json")).name


# The moment; the file operation before which the process is killed; what lies in the output
# folder then; and the first stage that is not done.
POINTS = {
    "frames are indexed": (
        "1 open OUT/cache/sample/.frames.json.",
        "cache/sample/.frames.json.*",
        "frames",
    ),
    "frames are being published": (
        f"1 os.rename OUT/cache/sample/{partial_manifest('frames')}",
        "cache/sample/.frames.json.*/frames.json",
        "frames",
    ),
    "flow begins": (
        "3 open OUT/cache/sample/.flow.",
        "cache/sample/.flow.*/forward.npy",
        "flow",
    ),
    "tracks are half done": (
        "3 open OUT/cache/sample/.tracks.",
        "cache/sample/.tracks.*/00005.npz",
        "tracks",
    ),
    "masks are at their backward pass": (
        "5 .scratch/soft-",
        "masks/.sample.*/.scratch/soft-*.npy",
        "masks",
    ),
    "masks are half written": (
        "9 os.rename OUT/masks/.sample.",
        "masks/.sample.*/00003.png",
        "masks",
    ),
    "masks are being published": (
        "17 os.rename OUT/masks/.sample.",
        "masks/.sample.*/00015.png",
        "masks",
    ),
    "masks are published, their manifest is not": (
        f"3 {partial_manifest('masks')}",
        "masks/sample/00015.png",
        "masks",
    ),
    "overlay is half encoded": (
        "1 open OUT/masks/sample/00007.png",
        "videos/.sample.mp4.*",
        "overlay",
    ),
    "overlay is encoded": (
        "1 os.rename OUT/videos/",
        "videos/.sample.mp4.*/.partial-*.mp4",
        "overlay",
    ),
    "preview is drawn": (
        "1 os.rename OUT/previews/",
        "previews/.sample.png.*/.partial-*.png",
        "preview",
    ),
    "all but run.json is done": (
        f"1 os.rename OUT/{partial_path(Path('run.json')).name}",
        "previews/sample.png",
        "",
    ),
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_and_started_again(tmp_path, objects_clip, objects_run, point):
    out = tmp_path / "out"
    operation, trace, stage = POINTS[point]
    process = start("run", objects_clip, "--out", out, kill=operation.replace("OUT", str(out)))
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert list(out.glob(trace))
    assert not (out / "run.json").exists()
    report, seen = run(objects_clip, out)
    assert report.exit_code == 0
    assert list(seen.computed) == (list(STAGES[STAGES.index(stage) :]) if stage else [])
    assert tree(out) == tree(objects_run)


@pytest.mark.parametrize(
    ("operation", "trace"),
    [
        ("1 os.rename OUT/masks/sample", "masks/.sample.*/00015.png"),
        ("17 os.rename OUT/masks/.sample.", "masks/.sample.*.old/00015.png"),
        (f"3 {partial_manifest('masks')}", "masks/sample/00015.png"),
    ],
)
def test_killed_while_old_masks_are_exchanged_for_new_ones(
    out, objects_clip, objects_run, operation, trace
):
    changed = ("run", objects_clip, "--out", out, "--set", "masks.decay=0.7")
    process = start(*changed, kill=operation.replace("OUT", str(out)))
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert list(out.glob(trace))
    # Back to the old setting: whatever lies there, old masks come out.
    assert run(objects_clip, out)[0].exit_code == 0
    assert tree(out) == tree(objects_run)


def test_killed_from_outside_while_flow_is_written(tmp_path, objects_clip, objects_run):
    out = tmp_path / "out"

    def in_the_midst():
        written = [path.stat().st_size for path in out.glob("cache/sample/.flow.*/backward.npy")]
        return any(size > 100_000 for size in written)

    process = start("run", objects_clip, "--out", out)
    wait_until(in_the_midst, process)
    process.kill()
    process.communicate()
    assert not (out / "cache/sample/flow.manifest.json").exists()
    again = start("run", objects_clip, "--out", out)
    said, told = again.communicate(timeout=60)
    assert again.returncode == 0
    assert "1 scene done" in said
    assert "frames" not in told
    assert tree(out) == tree(objects_run)


def test_killed_again_and_again_at_chance_moments(tmp_path, objects_clip, objects_run):
    out, chance = tmp_path / "out", random.Random(5)
    for _ in range(4):
        process = start("run", objects_clip, "--out", out)
        wait_until(lambda: (out / "cache/sample").exists(), process)
        time.sleep(chance.uniform(0.0, 1.0))
        process.kill()
        process.communicate()
    assert run(objects_clip, out)[0].exit_code == 0
    assert tree(out) == tree(objects_run)


def test_a_killed_worker_costs_its_scene_alone(tmp_path, clips, clips_run):
    out = tmp_path / "out"
    command = ("run", clips, "--out", out, "--workers", 2)
    process = start(*command, kill=f"3 open {out}/cache/a/.depths.")
    said, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "error: a: its worker process died (SIGKILL" in told
    assert "run again to resume" in told
    assert "2 of 3 scenes done" in said
    scenes = json.loads((out / "run.json").read_text())["scenes"]
    assert [scene["status"] for scene in scenes] == ["failed", "done", "done"]
    for name in ("masks/b", "masks/c", "cache/b", "cache/c"):
        assert tree(out / name) == tree(clips_run / name)
    assert not (out / "masks/a").exists()
    again = start(*command)
    said, told = again.communicate(timeout=120)
    assert again.returncode == 0
    assert "b: masks" not in told
    assert "a: depths" in told
    assert tree(out) == tree(clips_run)


STOPPED = "stopped; run the same command again to go on from here"


def interrupt(process):
    """Ctrl-C in a terminal reaches all processes of the group; return what was printed."""
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=30)[1].splitlines()


@pytest.mark.parametrize("workers", [1, 2])
def test_stopped_by_a_person(tmp_path, clips, clips_run, workers):
    out = tmp_path / "out"
    process = start("run", clips, "--out", out, "--workers", workers)
    wait_until(lambda: any(out.glob("cache/*/.flow.*/backward.npy")), process)
    lines = interrupt(process)
    assert process.returncode == 130
    assert [line for line in lines if not line.startswith(("a: ", "b: "))] == [STOPPED]
    assert run(clips, out)[0].exit_code == 0
    assert tree(out) == tree(clips_run)


def test_stopped_while_workers_start(tmp_path, clips):
    process = start("run", clips, "--out", tmp_path / "out", "--workers", 2)
    wait_until((tmp_path / "out").exists, process)
    time.sleep(0.2)
    assert interrupt(process) == [STOPPED]
    assert process.returncode == 130
