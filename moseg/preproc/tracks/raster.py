"""From pixels of frames to a tracker's raster coordinates, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Convention = Literal["reference", "half_pixel"]


@dataclass(frozen=True)
class Raster:
    """The square model input that frames are resized to, seen from the frames' pixels.

    Attributes:
        shift: added to a pixel's (x, y) before it is scaled.
        scale: (x, y), model pixels to a pixel of the frames.
    """

    shift: float
    scale: tuple[float, float]

    @classmethod
    def between(cls, size: tuple[int, int], resolution: int, convention: Convention) -> Raster:
        """Return the mapping of frames of (height, width) pixels.

        Args:
            convention: `half_pixel` is how the picture is resized: the middle of pixel i lies at
                i + 0.5. `reference` is how SegAnyMo (CVPR 2025) maps points: the first pixel
                lies at 0 and the last at resolution - 1, which reports a point of the scene up
                to 2.8 pixels from where it is.
        """
        height, width = size
        if convention == "half_pixel":
            return cls(0.5, (resolution / width, resolution / height))
        last = resolution - 1
        return cls(0.0, (last / max(width - 1, 1), last / max(height - 1, 1)))

    def to_model(self, xy: NDArray[np.floating]) -> Float64:
        """Return raster coordinates of pixels (x, y), [..., 2]."""
        return (np.asarray(xy, np.float64) + self.shift) * self.scale

    def to_pixels(self, raster: NDArray[np.floating]) -> Float64:
        """Return pixels of raster coordinates (x, y), [..., 2]."""
        return np.asarray(raster, np.float64) / self.scale - self.shift
