"""Places that cannot be written: one line that names them, exit code 2, nothing lost."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import (
    FAST,
    ROOT,
    good_frames,
    left_overs,
    moseg,
    moseg_alone,
    results,
)
from tests.limits import MOUNTING, can_mount, largest_file, without_privileges
from tests.media import write_images
from tests.pipeline.runs import TIMED


def file_in_the_way(folder):
    (folder / "out").write_text("mine")
    return folder / "out"


def file_above(folder):
    (folder / "above").write_text("mine")
    return folder / "above" / "out"


def place_of_the_kernel(folder):
    return Path("/proc/moseg")


@pytest.mark.parametrize("make", [file_in_the_way, file_above, place_of_the_kernel])
def test_an_output_folder_that_cannot_be_written(tmp_path, good, make):
    out = make(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    outcome = moseg("run", good, "--out", out, *FAST)
    assert outcome.code == 2
    assert outcome.one_line.startswith(f"error: the output folder {out} cannot be written")
    assert outcome.out == ""
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_places_without_permission(tmp_path, good):
    prefix = without_privileges()
    if prefix is None:
        pytest.skip("permissions do not hold root back, and its rights cannot be given up here")
    out = tmp_path / "out"
    for locked, mode, words in [
        (out, 0o500, f"the output folder {out} cannot be written (Permission denied)"),
        (out / "cache", 0o000, f"cannot write {out}/cache/good/frames.json: no permission"),
        (out / "masks", 0o000, f"cannot write {out}/masks/good: no permission"),
    ]:
        locked.mkdir(exist_ok=True)
        locked.chmod(mode)
        outcome = moseg_alone("run", good, "--out", out, *FAST, before=prefix)
        locked.chmod(0o700)
        assert outcome.code == 2
        (line,) = outcome.errors
        assert words in line
        assert outcome.strays("good") == []


def test_a_read_only_file_system(tmp_path, good):
    if not can_mount():
        pytest.skip("no file system can be mounted here")
    place = tmp_path / "disk"
    place.mkdir()
    done = in_own_mounts(
        f"mount -t tmpfs -o ro tmpfs {place}", moseg_line("run", good, "--out", place / "out")
    )
    (line,) = done.stderr.splitlines()
    assert line == (
        f"error: the output folder {place}/out cannot be written (Read-only file system); "
        "choose another"
    )
    assert done.stdout == "exit 2\n"


def test_the_output_folder_cannot_be_an_input(tmp_path, good):
    shutil.copy(good, tmp_path)
    for out in (tmp_path, tmp_path / "good.mp4"):
        outcome = moseg("run", out, "--out", out, *FAST)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.one_line.startswith(f"error: the output folder {out} is an input")
    assert [path.name for path in tmp_path.iterdir()] == ["good.mp4"]


IN_THE_WAY = {
    "masks/bad": "was not made by this run's cache",
    "videos/bad.mp4": "was not made by this run's cache",
    "previews/bad.png": "was not made by this run's cache",
    "cache/bad": "a file stands where a folder is needed",
    "cache/bad/flow": "a file stands where a folder is needed",
}


@pytest.mark.parametrize("place", IN_THE_WAY)
def test_a_foreign_file_costs_its_scene_alone(tmp_path, good, undisturbed, place):
    bad, out = shutil.copy(good, tmp_path / "bad.mp4"), tmp_path / "out"
    foreign = out / place
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    outcome = moseg("run", bad, good, "--out", out, *FAST)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert f"{out}/{place}" in line
    assert IN_THE_WAY[place] in line
    assert foreign.read_text() == "mine"
    assert results(out, "good") == undisturbed
    assert left_overs(out) == []


def test_a_folder_of_masks_made_by_someone_else_stays(tmp_path, good):
    mine = tmp_path / "out/masks/good/00000.png"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    outcome = moseg("run", good, "--out", tmp_path / "out", *FAST)
    assert outcome.code == 2
    assert "was not made by this run's cache" in outcome.errors[0]
    assert [path.read_text() for path in mine.parent.iterdir()] == ["mine"]


@pytest.mark.parametrize("place", ["masks", "cache", "run.json"])
def test_something_of_the_wrong_kind_in_the_output_folder(tmp_path, good, place):
    out = tmp_path / "out"
    blocked = out / place
    out.mkdir()
    if blocked.suffix:
        blocked.mkdir()
    else:
        blocked.write_text("mine")
    outcome = moseg("run", good, "--out", out, *FAST)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert str(blocked) in line
    assert "stands where a" in line
    assert blocked.is_dir() or blocked.read_text() == "mine"


LIMITS = {2_500: "flow", 30_000: "flow", 90_000: "preview"}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_on_file_sizes_and_then_none(tmp_path, good, undisturbed, limit):
    """Reached in several stages: what is finished is kept, and the rest is made later."""
    out = tmp_path / "out"
    with largest_file(limit):
        outcome = moseg("run", good, "--out", out, *FAST)
    assert outcome.code == 2
    assert "larger than allowed" in outcome.errors[0]
    assert LIMITS[limit] in outcome.errors[0]
    assert outcome.strays("good") == []
    assert left_overs(out) == []
    kept = {path: path.stat().st_ino for path in out.rglob("*.*") if path.name not in TIMED}
    again = moseg("run", good, "--out", out, *FAST)
    assert (again.code, again.errors) == (0, [])
    assert results(out, "good") == undisturbed
    assert {path: path.stat().st_ino for path in kept} == kept


def test_a_full_disk_and_then_a_larger_one(tmp_path, good, undisturbed):
    if not can_mount():
        pytest.skip("no small disk can be mounted here; the limit on file sizes stands for it")
    large = write_images(tmp_path / "large", good_frames(12) * 4)
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    run = moseg_line("run", good, large, "--out", disk / "out", *FAST)
    done = in_own_mounts(
        f"mount -t tmpfs -o size=1m tmpfs {disk}",
        run,
        f"cp -r {disk}/out {kept}",
        "echo ---; echo --- >&2",
        f"mount -o remount,size=64m {disk}",
        run,
        f"cp -r {disk}/out {kept}-again",
    )
    full, larger = (part.strip() for part in done.stderr.split("---\n"))
    assert [line for line in done.stdout.splitlines() if "exit" in line] == ["exit 2", "exit 0"]
    (line,) = (line for line in full.splitlines() if line.startswith("error: "))
    assert f"cannot write {disk}/out/cache/large/" in line
    assert "the disk is full" in line
    assert results(kept, "good") == undisturbed
    assert left_overs(kept) == []
    report = json.loads((kept / "run.json").read_text())
    assert (report["scenes_done"], report["scenes_failed"]) == (1, 1)
    assert "error" not in larger
    assert "good: " not in larger.replace("note: good: ", "")
    assert moseg("run", large, "--out", tmp_path / "roomy", *FAST).code == 0
    assert results(Path(f"{kept}-again"), "large") == results(tmp_path / "roomy", "large")
    assert results(Path(f"{kept}-again"), "good") == undisturbed


def moseg_line(*arguments):
    """A shell line that calls `moseg` and prints its exit code."""
    words = [sys.executable, "-m", "moseg.cli", *map(str, arguments)]
    return f"code=0; {shlex.join(words)} || code=$?; echo exit $code"


def in_own_mounts(*lines):
    """Run shell lines that may mount; the mounts end with them."""
    return subprocess.run(
        [*MOUNTING, "sh", "-euc", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
