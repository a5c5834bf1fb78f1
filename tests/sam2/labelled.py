"""Artefacts of the `tracks` and `labels` stages, made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.types import TrackLabels, Tracks


def save_labelled(
    folder: Path,
    xy: NDArray[np.float32],
    dynamic: NDArray[np.bool_],
    query: int = 0,
    start: int = 0,
    visible: NDArray[np.bool_] | None = None,
    confidence: NDArray[np.float32] | None = None,
) -> None:
    """Write tracks [N, L, 2] of one query frame, and which of them move, into both artefacts."""
    count, length = xy.shape[:2]
    visible = np.ones((count, length), bool) if visible is None else visible
    confidence = np.ones((count, length), np.float32) if confidence is None else confidence
    for name in ("tracks", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    tracks = Tracks(query, start, xy.astype(np.float32), visible, confidence, confidence)
    tracks.save(folder / "tracks" / f"{query:05d}.npz")
    odds = np.where(dynamic[:, None], 3, -3) * np.ones((1, length))
    chance = dynamic.astype(np.float32)
    TrackLabels(query, start, chance, odds.astype(np.float32), dynamic, 0.5).save(
        folder / "labels" / f"{query:05d}.npz"
    )
