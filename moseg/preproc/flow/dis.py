"""Dense optical flow between two working frames: DIS, forward and backward.

The method is Kroeger et al., "Fast optical flow using dense inverse search" (ECCV 2016), as
OpenCV ships it. Flow is in working pixels: ``flow[y, x] = (dx, dy)`` says that pixel
``(x, y)`` of the first frame lies at ``(x + dx, y + dy)`` in the second.

The caller keeps ``cv2.setNumThreads(1)``: DIS depends on the thread count otherwise.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]

# Frames with a side below this are enlarged by reflection first: DIS needs a few patches.
MINIMUM_SIDE = 32
# Finite in float16 and beyond any displacement a working frame can show.
LARGEST_FLOW = 8192.0


def dis_flow(first: ByteArray, second: ByteArray) -> FloatArray:
    """DIS flow from ``first`` to ``second``.

    Args:
        first: grey frame, uint8 [h, w].
        second: grey frame of the same size.

    Returns:
        Displacements in pixels, float32 [h, w, 2], finite and safe to store as float16.
    """
    height, width = first.shape
    below, right = max(0, MINIMUM_SIDE - height), max(0, MINIMUM_SIDE - width)
    if below or right:
        first = np.pad(first, ((0, below), (0, right)), mode="symmetric")
        second = np.pad(second, ((0, below), (0, right)), mode="symmetric")
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    solver.setFinestScale(0)
    no_guess = cast("FloatArray", None)
    flow = solver.calc(np.ascontiguousarray(first), np.ascontiguousarray(second), no_guess)
    flow = np.nan_to_num(np.asarray(flow, dtype=np.float32)[:height, :width], nan=0.0)
    return np.asarray(np.clip(flow, -LARGEST_FLOW, LARGEST_FLOW), dtype=np.float32)


def flow_pair(first: ByteArray, second: ByteArray) -> tuple[FloatArray, FloatArray]:
    """Forward (first to second) and backward (second to first) flow, float32 [h, w, 2] each."""
    return dis_flow(first, second), dis_flow(second, first)
