"""The artefact of the `flow` stage: small frames and the flow between them.

The built-in backends of all later stages compute on these *working frames*: about 100 000
pixels, the source's aspect, never larger than the selected frames.

Files: `rgb.npy` uint8 [T, h, w, 3]; `forward.npy` and `backward.npy` float16 [T-1, h, w, 2],
pixels (dx, dy), from frame t to t + 1 and from t + 1 to t.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.arrays import FrameArray, FrameArrayWriter
from moseg.core.closing import Closing
from moseg.core.errors import CacheError

UInt8 = NDArray[np.uint8]
Float16 = NDArray[np.float16]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Scale:
    """Between pixels of the selected frames and working pixels, (x, y) each."""

    x: float
    y: float

    @classmethod
    def between(cls, selected: tuple[int, int], working: tuple[int, int]) -> Scale:
        """Return the scale for sizes given as (height, width)."""
        return cls(selected[1] / working[1], selected[0] / working[0])

    def to_selected(self, xy: Float32) -> Float32:
        """Map working pixels to pixels of the selected frames, float32 [..., 2]."""
        return ((xy + 0.5) * self._factors() - 0.5).astype(np.float32)

    def to_working(self, xy: Float32) -> Float32:
        """Map pixels of the selected frames to working pixels, float32 [..., 2]."""
        return ((xy + 0.5) / self._factors() - 0.5).astype(np.float32)

    def _factors(self) -> Float32:
        return np.array([self.x, self.y], dtype=np.float32)


class WorkingClip(Closing):
    """Random access to working frames and flow; any number of threads may read.

    Raises:
        CacheError: the artefact is incomplete.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._rgb = FrameArray(folder / "rgb.npy")
            self._forward = FrameArray(folder / "forward.npy")
            self._backward = FrameArray(folder / "backward.npy")
        except OSError as error:
            raise CacheError(f"{folder} is incomplete; delete it and run again") from error

    def __len__(self) -> int:
        return len(self._rgb)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the working frames."""
        return self._rgb.shape[1], self._rgb.shape[2]

    def rgb(self, index: int) -> UInt8:
        """Working frame, uint8 [h, w, 3]."""
        return self._rgb[index]

    def forward(self, pair: int) -> Float16:
        """Flow from frame `pair` to `pair + 1`, float16 [h, w, 2]."""
        return self._forward[pair]

    def backward(self, pair: int) -> Float16:
        """Flow from frame `pair + 1` to `pair`, float16 [h, w, 2]."""
        return self._backward[pair]

    def close(self) -> None:
        """See `Closing.close`."""
        for array in (self._rgb, self._forward, self._backward):
            array.close()


class WorkingClipWriter(Closing):
    """Writes the artefact frame by frame; use as a context manager."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self._rgb = FrameArrayWriter(folder / "rgb.npy", (*size, 3), np.uint8)
        self._forward = FrameArrayWriter(folder / "forward.npy", (*size, 2), np.float16)
        self._backward = FrameArrayWriter(folder / "backward.npy", (*size, 2), np.float16)

    def add_frame(self, rgb: UInt8) -> None:
        """Append a working frame, uint8 [h, w, 3]."""
        self._rgb.append(rgb)

    def add_flow(self, forward: Float32, backward: Float32) -> None:
        """Append the flow of the next pair of frames, float [h, w, 2] each."""
        self._forward.append(forward)
        self._backward.append(backward)

    def close(self) -> None:
        """See `Closing.close`."""
        for writer in (self._rgb, self._forward, self._backward):
            writer.close()
