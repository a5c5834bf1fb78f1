"""moseg from Python."""

from __future__ import annotations

import numpy as np
import pytest

import moseg
from moseg.core.errors import ConfigError, InputError, MosegError
from moseg.core.masks import read_mask_png
from moseg.sample.write import write_sample
from tests.media import write_video

SMALL = ("flow.pixels=5000",)


def test_segment_returns_the_masks_of_the_run(tmp_path):
    clip = write_sample(tmp_path / "in", frames=6, height=96, width=160).video
    masks = moseg.segment(clip, preset="builtin", out=tmp_path / "out", settings=SMALL)
    assert masks.ids.shape == (6, 96, 160)
    assert masks.ids.dtype == np.uint8
    assert masks.moving.dtype == bool
    assert (masks.names[5], len(masks)) == ("00005", 6)
    assert np.diff(masks.times) == pytest.approx(1 / 24, abs=1e-3)
    for ids, name in zip(masks.ids, masks.names, strict=True):
        assert np.array_equal(ids, read_mask_png(tmp_path / f"out/masks/sample/{name}.png"))
    again = moseg.segment(clip, settings=SMALL)
    assert np.array_equal(again.ids, masks.ids)


def test_notes_reach_the_caller(tmp_path):
    write_video(tmp_path / "still.mp4", [np.full((32, 48, 3), 90, np.uint8)] * 4)
    masks = moseg.segment(tmp_path / "still.mp4")
    assert not masks.moving.any()
    assert any("nothing moves" in note for note in masks.notes)


def test_mistakes_raise_the_error_of_the_command_line(tmp_path):
    with pytest.raises(InputError, match="no such"):
        moseg.segment(tmp_path / "none.mp4")
    with pytest.raises(ConfigError, match="unknown preset"):
        moseg.segment(tmp_path / "none.mp4", preset="nope")
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(MosegError, match=r"text\.mp4"):
        moseg.segment(tmp_path / "text.mp4")
    for name in ("a", "b"):
        (tmp_path / "many" / name).mkdir(parents=True)
        (tmp_path / "many" / name / "0.png").write_bytes(b"")
    with pytest.raises(InputError, match="2 scenes"):
        moseg.segment(tmp_path / "many")
