"""Tracks of a whole scene in one array, as network trackers leave them.

Files of the artefact:
    queries.npz  `QueryPoints`: which points, and the windows they are tracked in.
    tracks.npy   float32 [N, L, 4]: x, y in pixels of the frames as selected, logit that the
                 point is occluded, logit that the position is far off. L runs over the frames
                 of the point's window.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.arrays import FrameArray, FrameArrayWriter
from moseg.core.closing import Closing
from moseg.core.errors import CacheError
from moseg.core.query_points import QueryPoints

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

ARRAY = "tracks.npy"
POINTS = "queries.npz"


def parse_logits(occlusion: Float32, distance: Float32) -> tuple[Bool, Float32, Float32]:
    """Return what a tracker's logits say (TAPIR; read as SegAnyMo, CVPR 2025, does).

    Args:
        occlusion: float32, any shape; higher is more likely hidden.
        distance: float32, same shape; higher is more likely far off.

    Returns:
        visible: bool, both probabilities together above one half.
        visibility: float32 0..1, 1 - sigmoid(occlusion).
        confidence: float32 0..1, 1 - sigmoid(distance) where the point is surely visible or
            surely hidden, else 0.
    """
    seen = _sigmoid(-occlusion)
    sure = _sigmoid(-distance)
    visible = seen * sure > 0.5
    hidden = (1 - seen) * sure > 0.5
    return visible, seen, np.where(visible | hidden, sure, np.float32(0))


def _sigmoid(x: Float32) -> Float32:
    # In double precision: exp overflows harmlessly, and the result is right to float32's last bit.
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)


class TrackArrayWriter(Closing):
    """Write the tracks of a scene block by block, in the order of `points`."""

    def __init__(self, folder: Path, points: QueryPoints) -> None:
        points.save(folder / POINTS)
        self._file = FrameArrayWriter(folder / ARRAY, (points.length, 4), np.float32)

    def append(self, block: Float32) -> None:
        """Append the tracks float32 [n, L, 4] of the next n points."""
        self._file.extend(block)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TrackArray(Closing):
    """Reads what `TrackArrayWriter` wrote.

    Attributes:
        points: the points, in the order of the tracks.

    Raises:
        CacheError: files are missing, damaged, or do not belong together.
    """

    def __init__(self, folder: Path) -> None:
        self.points = QueryPoints.load(folder / POINTS)
        self._file = FrameArray(folder / ARRAY)
        if self._file.shape != (len(self.points), self.points.length, 4):
            self.close()
            raise CacheError(f"{folder / ARRAY} does not belong to {POINTS}; run --tracks again")

    def window(self, window: int) -> Float32:
        """Return the tracks float32 [n, L, 4] of the points of one window."""
        return self.block(self.points.rows(window))

    def block(self, rows: slice) -> Float32:
        """Return the tracks float32 [n, L, 4] of consecutive points."""
        return np.asarray(self._file.block(rows.start, rows.stop), np.float32)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
