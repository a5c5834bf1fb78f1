"""Tiny clips, what an undisturbed run makes of them, and a cluster to run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import good_frames
from tests.cluster.two_nodes import two_nodes
from tests.media import moving_square_frames, write_video
from tests.pipeline.runs import STAGES, run

CLIPS = ("a", "b", "c")


@pytest.fixture(scope="session")
def clips(tmp_path_factory) -> Path:
    """A folder of three videos of twelve small frames: `a.mp4`, `b.mp4`, `c.mp4`."""
    folder = tmp_path_factory.mktemp("clips")
    for name, frames in zip(
        CLIPS,
        (good_frames(12), moving_square_frames(12), good_frames(12)[::-1]),
        strict=True,
    ):
        write_video(folder / f"{name}.mp4", frames)
    return folder


@pytest.fixture(scope="session")
def clips_run(clips, tmp_path_factory) -> Path:
    """The output folder of an undisturbed run in one process; never written to."""
    out = tmp_path_factory.mktemp("clips_run") / "out"
    report, seen = run(clips, out, "flow.pixels=3000")
    assert report.exit_code == 0
    assert set(seen.computed) == set(STAGES)
    return out


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two nodes with one core each."""
    with two_nodes() as cluster:
        yield cluster
