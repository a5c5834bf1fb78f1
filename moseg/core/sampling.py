"""Reading maps and masks at points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def bilinear(field: NDArray[np.floating], points: FloatArray) -> FloatArray:
    """Bilinear samples of a map [h, w] or [h, w, c] at points (x, y) [n, 2]; clamped."""
    height, width = field.shape[:2]
    x = np.clip(points[:, 0], 0, width - 1)
    y = np.clip(points[:, 1], 0, height - 1)
    left = np.minimum(x.astype(np.int64), max(width - 2, 0))
    top = np.minimum(y.astype(np.int64), max(height - 2, 0))
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    shape = (-1,) + (1,) * (field.ndim - 2)
    across = (x - left).astype(np.float32).reshape(shape)
    down = (y - top).astype(np.float32).reshape(shape)
    upper = field[top, left] * (1 - across) + field[top, right] * across
    lower = field[bottom, left] * (1 - across) + field[bottom, right] * across
    return np.asarray(upper * (1 - down) + lower * down, dtype=np.float32)


def inside(points: NDArray[np.floating], height: int, width: int) -> NDArray[np.bool_]:
    """Which points (x, y) [n, 2] lie in a picture, bool [n]."""
    return np.asarray(np.all((points >= 0) & (points < (width, height)), axis=1))


def on_mask(points: NDArray[np.floating], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which points (x, y) [n, 2] lie on a mask, bool [h, w]; those outside the picture do not.

    Of a half the even pixel is taken, and within half a pixel of the right or lower border the
    last one.
    """
    height, width = mask.shape
    there = inside(points, height, width)
    places = np.rint(np.where(there[:, None], points, 0)).astype(np.intp)
    column, row = np.minimum(places, (width - 1, height - 1)).T
    return np.asarray(there & mask[row, column], np.bool_)
