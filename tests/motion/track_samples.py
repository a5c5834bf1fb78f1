"""Made-up samples of tracks: what moves goes right, all else stands still, with some noise."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from moseg.motion.datasets.sample import TrackSample

SIZE = (48, 64)


def track_sample(seed: int = 0, tracks: int = 24, frames: int = 5) -> TrackSample:
    """Return a sample whose every third track moves, and whose every seventh is not judged."""
    rng = np.random.default_rng(seed)
    label = np.arange(tracks) % 3 == 0
    start = rng.uniform((8, 8), (40, 40), (tracks, 2))
    steps = np.arange(frames)[:, None] * np.array([2.5, 0.0])
    xy = start[:, None] + label[:, None, None] * steps + rng.normal(0, 0.1, (tracks, frames, 2))
    visible = rng.random((tracks, frames)) < 0.9
    visible[:2] = True
    visible[:, 0] = True
    return TrackSample(
        xy=xy.astype(np.float32),
        visible=visible,
        visibility=rng.random((tracks, frames), np.float32),
        confidence=rng.random((tracks, frames), np.float32),
        depth=rng.random((tracks, frames), np.float32),
        features=rng.normal(size=(tracks, 768)).astype(np.float16),
        query_frame=0,
        size=SIZE,
        label=label,
        judged=np.arange(tracks) % 7 != 6,
    )


class MadeUp:
    """A source of such samples."""

    def sample(self, seed: int, step: int, place: int) -> TrackSample:
        return track_sample(hash((seed, step, place)) % 2**31)


def write_samples(folder: Path, train: int = 2, validation: int = 2) -> Path:
    """Write samples as files that `moseg train` reads; return the folder."""
    for part, count, first in (("train", train, 0), ("validation", validation, 100)):
        (folder / part).mkdir(parents=True)
        for number in range(count):
            write_sample(folder / part / f"{number:03d}.npz", track_sample(first + number))
    return folder


def write_sample(path: Path, sample: TrackSample) -> None:
    """Write one sample."""
    np.savez(path, **{name: value for name, value in asdict(sample).items() if value is not None})
