"""One good scene and what an undisturbed run makes of it, for all tests of bad neighbours."""

from __future__ import annotations

import json

import pytest

from tests.cli.commands import FAST, good_frames, moseg, results
from tests.media import write_video


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A video that works."""
    return write_video(tmp_path_factory.mktemp("good") / "good.mp4", good_frames())


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, good):
    """What a run of the good scene alone leaves: 8 masks, a video, a contact sheet."""
    out = tmp_path_factory.mktemp("undisturbed")
    assert moseg("run", good, "--out", out, *FAST).code == 0
    summary = json.loads((out / "run.json").read_text())["scenes"][0]
    assert summary["objects"], "the good scene has an object, so that lost masks show"
    found = results(out, "good")
    assert len(found) == 10
    return found
