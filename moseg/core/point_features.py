"""Appearance features at the query points alone: a small array instead of whole maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.core.types import ArrayBundle

FILE = "points.npz"
"""Its name in the folder of the `dinos` stage."""


@dataclass(frozen=True)
class PointFeatures(ArrayBundle):
    """Features of query points, each from its own query frame.

    Attributes:
        values: float16 [N, C], in the order of `QueryPoints`.
    """

    values: NDArray[np.float16]


def nearest_cells(
    values: NDArray[np.float16], xy: NDArray[np.float32], height: int, width: int
) -> NDArray[np.float16]:
    """Return the features [n, C] of the cells in which points lie (SegAnyMo, CVPR 2025).

    Args:
        values: float16 [h, w, C], features of a frame of `height` x `width` pixels.
        xy: float32 [n, 2], pixels; points outside take the nearest cell.
    """
    h, w = values.shape[:2]
    column = np.clip((xy[:, 0] * w / width).astype(np.int64), 0, w - 1)
    row = np.clip((xy[:, 1] * h / height).astype(np.int64), 0, h - 1)
    return np.asarray(values[row, column])
