"""Disparity of every frame as a network gives it, and as 16-bit images of it hold it.

Files of the artefact:
    disparity.npy  float32 [T, H, W] at the size of the selected frames, larger is nearer, in
                   the network's own unit; or uint16 when it was read from 16-bit images.
    range.npy      float32 [T, 2], least and largest value of each frame.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from moseg.core.arrays import FrameArray, FrameArrayWriter
from moseg.core.closing import Closing
from moseg.core.errors import BackendError, CacheError


def to_uint16(disparity: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Stretch one frame's disparity [H, W] to 0..65535, cut to integers; constant: all zeros."""
    low, high = disparity.min(), disparity.max()
    if high - low <= np.finfo(np.float64).eps:
        return np.zeros(disparity.shape, np.uint16)
    # In float32 and in this order, as the reference: another order moves some values by one.
    stretched: NDArray[np.uint16] = (np.float32(65535) * (disparity - low) / (high - low)).astype(
        np.uint16
    )
    return stretched


class DisparityWriter(Closing):
    """Write disparity frame by frame."""

    def __init__(self, folder: Path, size: tuple[int, int], dtype: DTypeLike = np.float32) -> None:
        self._maps = FrameArrayWriter(folder / "disparity.npy", size, dtype)
        self._range = FrameArrayWriter(folder / "range.npy", (2,), np.float32)
        self._count = 0

    def append(self, disparity: NDArray[np.generic]) -> None:
        """Append one frame [H, W].

        Raises:
            BackendError: values that are not numbers.
        """
        low, high = disparity.min(), disparity.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            raise BackendError(
                f"frame {self._count}: the depth network returned values that are not numbers; "
                "check the checkpoint, or set precision to float32"
            )
        self._maps.append(disparity)
        self._range.append(np.array([low, high], np.float32))
        self._count += 1

    def close(self) -> None:
        """Close both files."""
        self._maps.close()
        self._range.close()


class DisparityMaps(Closing):
    """Reads what `DisparityWriter` wrote; any number of threads may read at once.

    Raises:
        CacheError: the files are damaged or of another kind.
    """

    def __init__(self, folder: Path) -> None:
        self._maps = FrameArray(folder / "disparity.npy")
        if len(self._maps.shape) != 3:
            raise CacheError(f"{folder / 'disparity.npy'} holds no maps; delete it and run again")

    def __len__(self) -> int:
        return len(self._maps)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the maps in pixels."""
        height, width = self._maps.shape[1:]
        return int(height), int(width)

    def raw(self, frame: int) -> NDArray[np.float32]:
        """Return disparity float32 [H, W] in the unit it was stored in.

        Raises:
            CacheError: values that are not numbers.
        """
        disparity = self._maps[frame].astype(np.float32)
        if not np.isfinite(disparity).all():
            raise CacheError(f"the disparity of frame {frame} holds values that are not numbers")
        return disparity

    def uint16(self, frame: int) -> NDArray[np.uint16]:
        """Return disparity as the 16-bit image of the reference layout holds it, [H, W]."""
        if self._maps.dtype == np.uint16:
            return np.asarray(self._maps[frame])
        return to_uint16(self.raw(frame))

    def close(self) -> None:
        """Close the file."""
        self._maps.close()
