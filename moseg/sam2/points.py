"""Points of a group as prompts, and points against masks.

Coordinates are (x, y) pixels, centres at integers. A point lies in a mask if the mask holds
at its truncated coordinates, taken into the image.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]
Indices = NDArray[np.intp]

_ENTRIES = 1 << 18
"""Distances held at a time."""
_SIDE = 6
_GROWTHS = 3


def medoid(points: Float32) -> int:
    """Return the index of the point with the smallest sum of distances to the others.

    Of several it is the first. Distances are float64; memory does not grow with n squared.

    Args:
        points: float32 [n, 2], n >= 1.
    """
    places = points.astype(np.float64)
    rows = max(1, _ENTRIES // len(places))
    sums = np.empty(len(places))
    for first in range(0, len(places), rows):
        part = places[first : first + rows]
        squares = (part[:, :1] - places[:, 0]) ** 2
        squares += (part[:, 1:] - places[:, 1]) ** 2
        sums[first : first + rows] = np.sqrt(squares, out=squares).sum(axis=1)
    return int(sums.argmin())


def centre_and_ends(points: Float32) -> Indices:
    """Return the index of the point nearest to the centroid, then of the two farthest from it.

    The farthest comes last, and equal distances (in float32) keep the order of the points.
    Two points give both, the nearest first; a single point is given twice.

    Args:
        points: float32 [n, 2], n >= 1.
    """
    offsets = points - points.mean(axis=0, dtype=np.float32)
    distances = np.sqrt((offsets**2).sum(axis=1))
    nearest = int(distances.argmin())
    order = np.argsort(distances, kind="stable")
    others = order[order != nearest][-2:] if len(points) > 1 else order
    return np.concatenate([[nearest], others]).astype(np.intp)


def inside(mask: Bool, points: Float32) -> Bool:
    """Return which points [n, 2] lie in a mask, bool [H, W]; bool [n]."""
    height, width = mask.shape
    column = np.clip(np.trunc(points[:, 0]), 0, width - 1).astype(np.intp)
    row = np.clip(np.trunc(points[:, 1]), 0, height - 1).astype(np.intp)
    return mask[row, column]


def dilated(mask: Bool, side: int = _SIDE) -> Bool:
    """Return a mask, bool [H, W], grown three times by a square of `side` pixels.

    The anchor is (side // 2, side // 2), so an even side grows one pixel less to the left
    and the top than it does to the right and the bottom, each time.
    """
    square = np.ones((side, side), np.uint8)
    grown = cv2.dilate(
        mask.astype(np.uint8), square, anchor=(side // 2, side // 2), iterations=_GROWTHS
    )
    return np.asarray(grown, dtype=bool)
