"""Region and boundary measures of one mask against the truth, and statistics over frames.

Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation", CVPR 2016 (region similarity J, boundary measure F, mean, recall, decay).
Where one mask is compared with many, take its `Outline` once and reuse it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Series = NDArray[np.float64]

BOUND_SHARE = 0.008
"""Tolerance of the boundary measure as a share of the image diagonal."""


@dataclass(frozen=True)
class Statistics:
    """Mean, recall and decay of one measure over the frames of a sequence."""

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True)
class Outline:
    """The boundary of one mask, and the same boundary widened by the tolerance.

    Both are bool [H, W]. `length` is the number of boundary pixels.
    """

    boundary: Mask
    widened: Mask
    length: int


def region_similarity(pred: Mask, truth: Mask, void: Mask | None = None) -> float:
    """J: intersection over union of two masks, bool [H, W]; 1.0 when both are empty.

    Pixels of `void` (bool [H, W]) count for nothing.

    Raises:
        ValueError: the sizes differ.
    """
    _same_size(pred, truth, void)
    both, either = pred & truth, pred | truth
    if void is not None:
        both, either = both & ~void, either & ~void
    union = np.count_nonzero(either)
    return 1.0 if union == 0 else np.count_nonzero(both) / union


def boundary_measure(
    pred: Mask, truth: Mask, void: Mask | None = None, bound_pixels: int | None = None
) -> float:
    """F: how well the boundaries of two masks (bool [H, W]) agree, 0..1.

    Pixels of `void` are taken out of both masks first. `bound_pixels` is the tolerance in
    pixels; by default `default_bound` of the image size.

    Raises:
        ValueError: the sizes differ.
    """
    _same_size(pred, truth, void)
    return outline_agreement(outline(pred, void, bound_pixels), outline(truth, void, bound_pixels))


def outline(mask: Mask, void: Mask | None = None, bound_pixels: int | None = None) -> Outline:
    """The `Outline` of a mask, bool [H, W], without its `void` pixels."""
    if void is not None:
        mask = mask & ~void
    if bound_pixels is None:
        bound_pixels = default_bound(*mask.shape)
    boundary, widened = np.zeros((2, *mask.shape), np.bool_)
    near = _surroundings(mask, bound_pixels + 1)
    boundary[near] = boundary_map(mask[near])
    widened[near] = cv2.dilate(boundary[near].view(np.uint8), _disk(bound_pixels))
    return Outline(boundary, widened, int(np.count_nonzero(boundary[near])))


def outline_agreement(pred: Outline, truth: Outline) -> float:
    """F of two outlines: harmonic mean of boundary precision and recall, 0..1.

    Neither mask has a boundary: 1. Just one of them has: 0.
    """
    if pred.length == 0 and truth.length == 0:
        return 1.0
    if pred.length == 0 or truth.length == 0:
        return 0.0
    precision = np.count_nonzero(pred.boundary & truth.widened) / pred.length
    recall = np.count_nonzero(truth.boundary & pred.widened) / truth.length
    if precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


def boundary_map(mask: Mask) -> Mask:
    """One-pixel boundary of a mask, bool [H, W].

    A pixel is boundary when its east, south or south-east neighbour differs. The last row
    looks east only, the last column south only, and the last pixel is never boundary.
    """
    edge = np.zeros(mask.shape, np.bool_)
    edge[:, :-1] |= mask[:, :-1] ^ mask[:, 1:]
    edge[:-1, :] |= mask[:-1, :] ^ mask[1:, :]
    edge[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return edge


def default_bound(height: int, width: int) -> int:
    """Tolerance in pixels of the boundary measure: 8 at 854x480."""
    return math.ceil(BOUND_SHARE * math.hypot(height, width))


def statistics(series: Series) -> Statistics:
    """Mean, recall and decay of a measure, float [T], one value a frame.

    Recall is the share of frames above 0.5. Decay is the mean of the first quarter less the
    mean of the last one; neighbouring quarters share a frame. NaN entries are left out of
    the means and count as missed in recall.

    Raises:
        ValueError: the series is empty.
    """
    if series.ndim != 1 or series.size == 0:
        raise ValueError(f"statistics need a non-empty series, got shape {series.shape}")
    limits = np.round(np.linspace(1, series.size, 5) + 1e-10).astype(np.int64) - 1
    first = series[limits[0] : limits[1] + 1]
    last = series[limits[3] : limits[4] + 1]
    return Statistics(
        mean=_mean(series),
        recall=float(np.mean(series > 0.5)),
        decay=_mean(first) - _mean(last),
    )


def _mean(values: Series) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def _surroundings(mask: Mask, margin: int) -> tuple[slice, slice]:
    """The rows and columns that hold all of a mask and `margin` pixels around it."""
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask).view(np.uint8))
    return (
        slice(max(0, y - margin), y + height + margin),
        slice(max(0, x - margin), x + width + margin),
    )


@lru_cache(maxsize=16)
def _disk(radius: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x * x + y * y <= radius * radius, dtype=np.uint8)


def _same_size(pred: Mask, truth: Mask, void: Mask | None) -> None:
    if pred.shape != truth.shape or (void is not None and void.shape != truth.shape):
        shapes = [mask.shape for mask in (pred, truth, void) if mask is not None]
        raise ValueError(f"masks differ in size: {shapes}")
