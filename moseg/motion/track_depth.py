"""Disparity under tracks, read as the classifier's weights want it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moseg.core.disparity import DisparityMaps
from moseg.motion.sampling import normalise

Float32 = NDArray[np.float32]
UInt16 = NDArray[np.uint16]
Int64 = NDArray[np.int64]

Lookup = Literal["reference", "pixel"]
Read = Literal["clip8", "full"]


def depth_under(
    maps: DisparityMaps, start: int, xy: Float32, lookup: Lookup, read: Read
) -> Float32:
    """Return float32 [n, L], 0..1, larger is nearer; one map is held at a time.

    Args:
        maps: disparity of every frame, [H, W].
        start: frame of the first column.
        xy: float32 [n, L, 2], pixels.
        lookup: see `lookup_index`.
        read: see `to_unit`.

    Raises:
        CacheError: a map holds values that are not numbers.
    """
    depth = np.empty(xy.shape[:2], np.float32)
    for column in range(xy.shape[1]):
        frame = to_unit(maps.uint16(start + column), read)
        depth[:, column] = frame.ravel()[lookup_index(xy[:, column], frame.shape, lookup)]
    return depth


def to_unit(disparity: UInt16, read: Read) -> Float32:
    """Return a 16-bit disparity image as 0..1.

    Args:
        disparity: uint16, any shape, one frame.
        read: `full` divides by 65535. `clip8` cuts off at 255, which leaves little more than
            what is farthest, and stretches the frame to 0..1: the released weights of SegAnyMo
            (CVPR 2025) were trained so. A constant frame is 0 there, as in `full` mode a frame
            without depth is.
    """
    if read == "full":
        return disparity.astype(np.float32) / np.float32(65535)
    clipped = np.minimum(disparity, np.uint16(255)).astype(np.float32)
    low, high = clipped.min(), clipped.max()
    return (clipped - low) / (high - low) if high > low else np.zeros_like(clipped)


def lookup_index(xy: Float32, size: tuple[int, ...], lookup: Lookup) -> Int64:
    """Return where in a frame's values, row by row, the depth of points is read, int64 [n].

    Args:
        xy: float32 [n, 2], pixels.
        size: height and width.
        lookup: `pixel` takes the pixel a point lies in. `reference` takes positions of -1..1
            for positions of 0..1: most points read another pixel, but the released weights of
            SegAnyMo (CVPR 2025) were trained so.
    """
    height, width = size
    if lookup == "pixel":
        column = np.clip(np.trunc(xy[:, 0]), 0, width - 1)
        row = np.clip(np.trunc(xy[:, 1]), 0, height - 1)
        return row.astype(np.int64) * width + column.astype(np.int64)
    unit = normalise(xy, height, width)
    column = np.trunc(unit[:, 0] * np.float32(width)).astype(np.int64)
    row = np.trunc(unit[:, 1] * np.float32(height)).astype(np.int64)
    index: Int64 = row * width + column
    return index.clip(0, height * width - 1)
