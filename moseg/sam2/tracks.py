"""Moving tracks over a window of frames, as objects are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class TrackWindow:
    """The tracks labelled as moving, in frames `start .. stop - 1` of the scene.

    Attributes:
        start: first frame of the window.
        xy: float32 [n, L, 2], (x, y) pixels of masks, centres at integers; anything where
            the track is not visible.
        visible: bool [n, L].
    """

    start: int
    xy: Float32
    visible: Bool

    def __post_init__(self) -> None:
        if self.xy.ndim != 3 or self.xy.shape != (*self.visible.shape, 2):
            raise ValueError(
                f"xy must be [n, L, 2] and visible [n, L], not {list(self.xy.shape)} "
                f"and {list(self.visible.shape)}"
            )

    def __len__(self) -> int:
        """Number of tracks."""
        return int(self.visible.shape[0])

    @property
    def stop(self) -> int:
        """One past the last frame."""
        return self.start + len(self.visible.T)

    def points(self, frame: int) -> Float32:
        """Where the visible tracks are in a frame of the scene, float32 [k, 2]."""
        at = frame - self.start
        found: Float32 = self.xy[self.visible[:, at], at]
        return found

    def part(self, rows: NDArray[np.intp]) -> TrackWindow:
        """The tracks of some rows."""
        return TrackWindow(self.start, self.xy[rows], self.visible[rows])


class TrackSource(Protocol):
    """Where the tracks of each window come from."""

    @property
    def total(self) -> int:
        """Number of moving tracks in the whole scene."""

    def window(self, frames: range) -> TrackWindow:
        """Return the moving tracks in `frames`; not visible where nothing is known."""
