"""HOI4D, copied into the layout that training reads."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from moseg.core.errors import InputError, MosegError, OutputError
from moseg.motion.datasets import prepare_hoi4d
from moseg.motion.datasets.hoi4d import Hoi4d
from moseg.motion.datasets.prepare_hoi4d import jobs, number_videos
from tests.cli.commands import ROOT
from tests.media import moving_square_frames
from tests.motion.datasets.hoi4d_release import TAKES, write_release, write_take
from tests.motion.datasets.tiny_scenes import snapshot


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_release(tmp_path / "source")
    return tmp_path / "source"


def prepare(source: Path, out: Path, every: int = 4) -> list[str]:
    numbers = number_videos(source, out, every)
    numbers.save(out)
    return [job.work() for job in jobs(source, out, numbers)]


def test_every_fourth_frame_under_its_number_in_the_source(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = prepare(source, out)
    assert told == [f"3 frames and masks of {take}/align_rgb/image.mp4" for take in TAKES]
    frames = moving_square_frames(9, 16, 24, side=4)
    for number, take in zip(("00000", "00001"), TAKES, strict=True):
        images = sorted((out / "images" / number).iterdir())
        assert [path.name for path in images] == ["00000.png", "00004.png", "00008.png"]
        for path, expected in zip(images, frames[::4], strict=True):
            np.testing.assert_allclose(cv2.imread(str(path))[..., ::-1], expected, atol=3)
        masks = out / "dynamic_masks" / number
        annotations = source / "HOI4D_annotations" / take / "2Dseg/shift_mask"
        assert {path.name for path in masks.iterdir()} == {path.name for path in images}
        for path in masks.iterdir():
            assert path.read_bytes() == (annotations / path.name).read_bytes()
    assert Hoi4d(out).scenes == ("00000", "00001")


def test_the_source_stays_as_it_is(source: Path, tmp_path: Path) -> None:
    before = snapshot(source)
    prepare(source, tmp_path / "out")
    assert snapshot(source) == before


def test_planning_changes_nothing(source: Path, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    planned = jobs(source, tmp_path / "out", number_videos(source, tmp_path / "out"))
    assert [job.scene for job in planned] == ["00000", "00001"]
    assert snapshot(tmp_path) == before


def test_done_scenes_are_not_done_again(source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "out")
    assert prepare(source, tmp_path / "out") == []


def test_numbers_stay_when_videos_are_added(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(source, out)
    before = snapshot(out / "images")
    write_take(source, "ZY0/first/of/all", count=5)
    assert len(prepare(source, out)) == 1
    after = snapshot(out / "images")
    assert {name: after[name] for name in before} == before
    assert "00002/00004.png" in after


@pytest.mark.parametrize("folder", ["images", "dynamic_masks"])
def test_a_scene_that_failed_leaves_nothing_and_is_made_whole_later(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    out, good = tmp_path / "out", tmp_path / "good"
    prepare(source, good)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    if folder == "images":
        monkeypatch.setattr(prepare_hoi4d, "write_png", fail)
    else:
        monkeypatch.setattr(prepare_hoi4d.shutil, "copyfile", fail)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, out)
    assert list((out / folder).iterdir()) == []
    monkeypatch.undo()
    prepare(source, out)
    assert snapshot(out) == snapshot(good)


KILLED = """
import os, signal, sys
from pathlib import Path
from moseg.motion.datasets import prepare_hoi4d as this

write, written = this.write_png, []

def dying(path, image):
    if len(written) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, image)
    written.append(path)

this.write_png = dying
source, out = Path(sys.argv[1]), Path(sys.argv[2])
numbers = this.number_videos(source, out)
numbers.save(out)
for job in this.jobs(source, out, numbers):
    job.work()
"""


@pytest.mark.slow
def test_killed_and_started_again_it_leaves_what_it_leaves_undisturbed(
    source: Path, tmp_path: Path
) -> None:
    out, good = tmp_path / "out", tmp_path / "good"
    prepare(source, good)
    for frame in (4, 1):  # in the second scene, then, started again, in the same
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(source), str(out), str(frame)],
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == -signal.SIGKILL
        assert Hoi4d(out).scenes == ("00000",)
        assert (out / "images/.partial-00001").is_dir()
    assert prepare(source, out) == [f"3 frames and masks of {TAKES[1]}/align_rgb/image.mp4"]
    assert snapshot(out) == snapshot(good)


def test_videos_without_their_masks_are_left_out_and_named(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_take(source, "ZY2/a/b", masks=0)
    write_take(source, "ZY3/a/b", masks=4)
    numbers = number_videos(source, out)
    problems = {}
    for job in jobs(source, out, numbers):
        try:
            job.work()
        except MosegError as error:
            problems[job.scene] = str(error)
    assert list(problems) == ["00002", "00003"]
    assert "ZY2/a/b/2Dseg/shift_mask is missing or holds no masks" in problems["00002"]
    assert "has 9 frames, but 4 masks" in problems["00003"]
    assert {path.name for path in (out / "images").iterdir()} == {"00000", "00001"}


def test_folders_that_do_not_fit(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"HOI4D_release is missing or holds no \.mp4"):
        number_videos(tmp_path, tmp_path / "out")
    (tmp_path / "other/images/00000").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"no scenes.json says of which videos"):
        number_videos(source, tmp_path / "other")
    prepare(source, tmp_path / "out", every=3)
    with pytest.raises(OutputError, match="holds one of every 3 frames, now it is one of 4"):
        number_videos(source, tmp_path / "out")
    (tmp_path / "out/scenes.json").write_text("{")
    with pytest.raises(OutputError, match=r"scenes.json is damaged"):
        number_videos(source, tmp_path / "out")
