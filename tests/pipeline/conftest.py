"""Tiny made-up clips, and an undisturbed run over each kind, shared by a whole session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from moseg.sample.write import write_sample
from tests.pipeline.runs import run


def _clip(folder: Path, kind: str) -> Path:
    return write_sample(folder, kind, frames=16, height=96, width=160).video  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def objects_clip(tmp_path_factory) -> Path:
    """`sample.mp4`, 16 frames of 160x96, three objects before a moving camera."""
    return _clip(tmp_path_factory.mktemp("objects"), "objects")


@pytest.fixture(scope="session")
def pan_clip(tmp_path_factory) -> Path:
    """`sample.mp4` of the same size, in which only the camera moves."""
    return _clip(tmp_path_factory.mktemp("pan"), "pan")


@pytest.fixture(scope="session")
def objects_run(objects_clip, tmp_path_factory) -> Path:
    """The output folder of an undisturbed run over `objects_clip`; never written to."""
    out = tmp_path_factory.mktemp("objects_run") / "out"
    assert run(objects_clip, out)[0].exit_code == 0
    return out


@pytest.fixture(scope="session")
def pan_run(pan_clip, tmp_path_factory) -> Path:
    """The output folder of an undisturbed run over `pan_clip`; never written to."""
    out = tmp_path_factory.mktemp("pan_run") / "out"
    assert run(pan_clip, out)[0].exit_code == 0
    return out


@pytest.fixture(scope="session")
def clips(objects_clip, pan_clip, tmp_path_factory) -> Path:
    """A folder of three videos: `a.mp4` and `c.mp4` hold objects, `b.mp4` does not."""
    folder = tmp_path_factory.mktemp("clips")
    for name, source in (("a", objects_clip), ("b", pan_clip), ("c", objects_clip)):
        shutil.copy(source, folder / f"{name}.mp4")
    return folder


@pytest.fixture(scope="session")
def clips_run(clips, tmp_path_factory) -> Path:
    """The output folder of an undisturbed run over `clips` with one worker; never written to."""
    out = tmp_path_factory.mktemp("clips_run") / "out"
    assert run(clips, out)[0].exit_code == 0
    return out


@pytest.fixture
def out(objects_run, tmp_path) -> Path:
    """A copy of the finished run over `objects_clip`, to work on."""
    return Path(shutil.copytree(objects_run, tmp_path / "out"))
