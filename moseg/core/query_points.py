"""What is tracked: query points, and the windows of frames in which they are tracked.

Trackers hold features of all frames of a window, so a long video is tracked in windows that
overlap by half. Each query frame belongs to one window: that whose middle is nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.core.types import ArrayBundle

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class QueryPoints(ArrayBundle):
    """The artefact of the `queries` stage; points are ordered by window, then query frame.

    Attributes:
        starts: int64 [W], first frame of each window, ascending.
        length: frames in every window.
        window: int64 [N], window of each point.
        frame: int64 [N], query frame of each point.
        xy: float32 [N, 2], pixels of the frames as selected, centres at integers.
        drawn: True when the points are the sample that the classifier takes, False when they
            are all points of the grids and the classifier has yet to draw.
    """

    starts: Int64
    length: int
    window: Int64
    frame: Int64
    xy: NDArray[np.float32]
    drawn: bool

    def __len__(self) -> int:
        return len(self.frame)

    def rows(self, window: int) -> slice:
        """Return the rows of the points of one window."""
        first, last = np.searchsorted(self.window, [window, window + 1])
        return slice(int(first), int(last))

    def rows_of_frame(self, frame: int) -> slice:
        """Return the rows of the points of one query frame."""
        rows = np.flatnonzero(self.frame == frame)
        return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)

    @property
    def query_frames(self) -> list[int]:
        """The query frames that have points, ascending."""
        return [int(frame) for frame in np.unique(self.frame)]

    def start_of(self, frame: int) -> int:
        """Return the first frame of the window to which a query frame belongs."""
        return int(self.starts[self.window[self.rows_of_frame(frame).start]])


def window_starts(frames: int, length: int) -> Int64:
    """Return the first frames of windows of `length` that overlap by half and cover all frames."""
    if frames <= length:
        return np.zeros(1, np.int64)
    stride = max(length // 2, 1)
    starts = np.arange(0, frames - length, stride, dtype=np.int64)
    return np.append(starts, frames - length)


def nearest_window(frame: int, starts: Int64, length: int) -> int:
    """Return the window whose middle is nearest to `frame`; the earlier of two."""
    return int(np.argmin(np.abs(starts + (length - 1) / 2 - frame)))
