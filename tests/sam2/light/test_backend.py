"""The built-in backend hands its settings, and the tracks that can be clicked, to the densifier."""

from __future__ import annotations

import pytest

from moseg.core.progress import Silent
from moseg.pipeline.config import load_config
from moseg.pipeline.session import Session
from moseg.sam2.light import backend
from moseg.sam2.light.regions import TracksOnRegions
from moseg.sam2.segment import SegmentSettings
from moseg.sample.clip import render_sample
from tests.media import write_video


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ((), SegmentSettings(window=40, rounds=60)),
        (("masks.window=7", "masks.interval=3", "masks.rounds=9"), SegmentSettings(7, 3, 9)),
    ],
)
def test_settings_and_tracks_reach_the_densifier(tmp_path, monkeypatch, settings, wanted):
    seen, inner = [], backend.segment

    def watched(predictor, tracks, frames, store, chosen):
        seen.append((tracks, chosen))
        return inner(predictor, tracks, frames, store, chosen)

    monkeypatch.setattr(backend, "segment", watched)
    clip = write_video(tmp_path / "clip.mp4", [frame for frame, _ in render_sample(6, 72, 128)])
    session = Session((clip,), tmp_path / "out", load_config(settings=settings))
    assert session.run(Silent(), only=["masks"]).exit_code == 0
    [(tracks, chosen)] = seen
    assert isinstance(tracks, TracksOnRegions)
    assert chosen == wanted
