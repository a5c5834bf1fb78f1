"""Weighted F: errors count by where they are.

Source: Margolin, Zelnik-Manor, Tal, "How to Evaluate Foreground Maps?", CVPR 2014.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from moseg.evaluation.frame_pairs import Mask

WINDOW, SIGMA = 7, 5.0
"""Pixels of the truth within this window stand in for each other."""
HALF_LIFE = 5.0
"""Pixels from the truth at which a false alarm has half of the extra weight of a far one."""


def weighted_f(values: NDArray[np.float64], truth: Mask) -> float:
    """Weighted F with beta 1 of a map, float64 [H, W] in 0..1; 0 where the truth is empty."""
    if not truth.any():
        return 0.0
    distance, nearest = distance_transform_edt(~truth, return_indices=True)
    error = np.abs(values - truth)
    weighed = np.where(truth, np.minimum(error, _smoothed(error[tuple(nearest)])), error)
    # Twice the weight far away from the truth, once beside it.
    weighed *= np.where(truth, 1.0, 2.0 - np.exp2(-distance / HALF_LIFE))
    foreground = np.count_nonzero(truth)
    hits = foreground - weighed[truth].sum()
    false_alarms = weighed[~truth].sum()
    recall = 1 - weighed[truth].mean()
    precision = hits / max(hits + false_alarms, 1e-300)
    return float(2 * recall * precision / max(recall + precision, 1e-300))


def _smoothed(error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian mean over the window, taking 0 beyond the picture."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    smooth = cv2.sepFilter2D(error, cv2.CV_64F, weights, weights, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(smooth, np.float64)
