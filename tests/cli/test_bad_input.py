"""Input that cannot be used: one line that names it, exit code 2, other scenes unharmed."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from tests.cli.bad_media import BAD, image_as_input
from tests.cli.commands import FAST, good_frames, left_overs, moseg, moseg_alone, results
from tests.limits import without_privileges
from tests.media import write_images


def check_good_scene(out, undisturbed):
    """The good scene is as if it had been alone, and nothing is left of the others."""
    assert results(out, "good") == undisturbed
    assert left_overs(out) == []
    for folder in ("masks", "videos", "previews"):
        assert [path.stem for path in (out / folder).iterdir()] == ["good"]


@pytest.mark.parametrize("make", BAD)
def test_bad_input_costs_its_own_scene_alone(tmp_path, good, undisturbed, make):
    bad, out = make(tmp_path), tmp_path / "out"
    outcome = moseg("run", bad, good, "--out", out, *FAST)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert str(bad) in line
    assert BAD[make] in line
    assert outcome.strays("good", bad.stem) == []
    assert "1 of 2 scenes done" in outcome.out
    check_good_scene(out, undisturbed)
    report = json.loads((out / "run.json").read_text())
    assert (report["scenes_done"], report["scenes_failed"]) == (1, 1)
    (failed,) = (scene for scene in report["scenes"] if scene["status"] == "failed")
    assert f"error: {failed['error']}" == line
    assert failed["source"] == str(bad)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_of_bad_inputs_and_a_good_one(tmp_path, good, undisturbed, workers):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    # An image here would make the folder itself a scene.
    bad = {make(folder): BAD[make] for make in BAD if make is not image_as_input}
    ignored = {"gone", "hollow", "texts"}  # nothing in them is a scene
    expected = {path: words for path, words in bad.items() if path.stem not in ignored}
    shutil.copy(good, folder)
    outcome = moseg_alone("run", folder, "--out", out, "--workers", workers, *FAST)
    assert outcome.code == 2
    assert len(outcome.errors) == len(expected)
    for path, words in expected.items():
        assert sum(str(path) in line and words in line for line in outcome.errors) == 1, path
    assert outcome.strays("good", *(path.stem for path in bad)) == []
    check_good_scene(out, undisturbed)


def test_inputs_without_permission(tmp_path, good, undisturbed):
    prefix = without_privileges()
    if prefix is None:
        pytest.skip("permissions do not hold root back, and its rights cannot be given up here")
    video = shutil.copy(good, tmp_path / "locked.mp4")
    images = write_images(tmp_path / "images", good_frames(2))
    folder = write_images(tmp_path / "folder", good_frames(2))
    for locked in (video, images / "00001.png", folder):
        locked.chmod(0)
    bad, out = (video, images, folder, folder / "inside"), tmp_path / "out"
    outcome = moseg_alone("run", *bad, good, "--out", out, *FAST, before=prefix)
    folder.chmod(0o700)
    assert outcome.code == 2
    assert len(outcome.errors) == len(bad)
    for name in ("locked.mp4", "images/00001.png", "folder ", "folder/inside "):
        (line,) = (line for line in outcome.errors if f"{tmp_path}/{name}" in line)
        assert "Permission denied" in line
    check_good_scene(out, undisturbed)


def test_two_inputs_of_one_stem_are_both_refused(tmp_path, good, undisturbed):
    video = shutil.copy(good, tmp_path / "same.mp4")
    images = write_images(tmp_path / "same", good_frames(2))
    outcome = moseg("run", video, images, good, "--out", tmp_path / "out", *FAST)
    assert outcome.code == 2
    first, second = outcome.errors
    assert first.startswith(f"error: {video} has the same scene name 'same' as {images};")
    assert second.startswith(f"error: {images} has the same scene name 'same' as {video};")
    check_good_scene(tmp_path / "out", undisturbed)


LONG = "n" * 201
NAMES = {
    "...mp4": "'..' would leave the output folder",
    "..mp4": "'.' would leave the output folder",
    "..\\up.mp4": "holds a slash",
    "\\.mp4": "holds a slash",
    "line\nbreak.mp4": r"'line\nbreak' holds a control character",
    "esc\x1b[31m.mp4": r"'esc\x1b[31m' holds a control character",
    f"{LONG}.mp4": "is longer than 200 bytes",
    os.fsdecode(b"\xff.mp4"): r"'\udcff' is not valid UTF-8 text",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_scene_name_cannot_leave_the_output_folder(tmp_path, good, undisturbed, name):
    folder, out = tmp_path / "deep" / "in", tmp_path / "deep" / "out"
    folder.mkdir(parents=True)
    bad = shutil.copy(good, folder / name)
    before = tree(tmp_path)
    outcome = moseg("run", bad, good, "--out", out, *FAST)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert NAMES[name] in line
    assert f"{folder}/" in line
    assert line.isprintable()
    check_good_scene(out, undisturbed)
    assert [path.name for path in (out / "cache").iterdir()] == ["good"]
    shutil.rmtree(out)
    assert tree(tmp_path) == before


def tree(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}
