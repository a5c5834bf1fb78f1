"""Relative inverse depth from parallax: what a moving camera tells apart beyond one plane.

Against the camera's homography, a static point off the plane moves along the line through it
and the epipole (plane plus parallax: Irani and Anandan, "A unified approach to moving object
detection in 2D and 3D scenes", PAMI 1998). The epipole is fitted to the residual flow; what
lies along its lines is read as depth, what lies across cannot be. Which way is nearer is
settled by the ground: in an upright view, what is lower in the image is on the whole nearer.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]

# Parallax below this many pixels is flow noise: no depth is read from it.
NOISE = 0.5
# Parallax beyond this many pixels adds nothing to the weight of a vector in the fit.
SATURATION = 3.0
ITERATIONS = 8
# Disparity reaches 0 and 1 at this quantile of the parallax.
RANGE_QUANTILE = 0.95
SMOOTHING = 9


def fit_epipole(residual: FloatArray, weight: FloatArray) -> DoubleArray:
    """Point that the residual vectors point to or away from.

    Args:
        residual: flow minus camera flow, float32 [h, w, 2].
        weight: how much each pixel is believed to be static, float32 [h, w].

    Returns:
        Homogeneous point, float64 [3], of unit length in coordinates centred in the image and
        divided by its half width; at infinity where the last number is zero.
    """
    height, width = weight.shape
    step = max(1, min(height, width) // 40)
    y, x = np.mgrid[0:height:step, 0:width:step]
    vectors = residual[::step, ::step].reshape(-1, 2).astype(np.float64)
    points = np.stack([x.ravel() - width / 2, y.ravel() - height / 2], axis=1) / (width / 2)
    length = np.hypot(vectors[:, 0], vectors[:, 1])
    normal = np.stack([-vectors[:, 1], vectors[:, 0]], axis=1) / np.maximum(length, 1e-6)[:, None]
    lines = np.concatenate([normal, -(normal * points).sum(axis=1, keepdims=True)], axis=1)
    strength = np.minimum(length, SATURATION) * (length > NOISE) * weight[::step, ::step].ravel()
    share = strength.copy()
    epipole = np.array([1.0, 0.0, 0.0])
    for _ in range(ITERATIONS):
        moment = (lines * share[:, None]).T @ lines + 1e-9 * np.eye(3)
        epipole = np.linalg.eigh(moment)[1][:, 0]
        toward = epipole[None, :2] - epipole[2] * points
        across = np.abs(lines @ epipole) / np.maximum(np.hypot(*toward.T), 1e-6)
        share = strength / (1 + np.square(across / 0.3))
    return np.asarray(epipole, dtype=np.float64)


def split_parallax(residual: FloatArray, epipole: DoubleArray) -> tuple[FloatArray, FloatArray]:
    """Residual along (signed) and across (magnitude) the epipolar lines, [h, w] each, pixels."""
    height, width = residual.shape[:2]
    ex, ey, ew = (np.float32(number) for number in epipole)
    x = (np.arange(width, dtype=np.float32)[None, :] - width / 2) / (width / 2)
    y = (np.arange(height, dtype=np.float32)[:, None] - height / 2) / (width / 2)
    toward_x, toward_y = ex - ew * x, ey - ew * y
    length = np.sqrt(toward_x * toward_x + toward_y * toward_y) + 1e-6
    along = (residual[..., 0] * toward_x + residual[..., 1] * toward_y) / length
    across = np.abs(residual[..., 1] * toward_x - residual[..., 0] * toward_y) / length
    return along.astype(np.float32), across.astype(np.float32)


def disparity(
    residual: FloatArray, evidence: FloatArray, camera_confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Relative inverse depth of one frame.

    Args:
        residual: flow minus camera flow of one pair, float32 [h, w, 2].
        evidence: log-odds that a pixel moves on its own, float32 [h, w].
        camera_confidence: 0..1.

    Returns:
        Disparity, float32 [h, w] in 0..1, larger is nearer, 0.5 on the camera's plane or where
        nothing is known; and confidence, float32 [h, w] in 0..1.
    """
    static = (1 / (1 + np.exp(np.clip(evidence, -8, 8)))).astype(np.float32)
    residual = np.clip(residual, -500, 500)
    along, across = split_parallax(residual, fit_epipole(residual, static))
    along = np.asarray(cv2.blur(along, (SMOOTHING, SMOOTHING)), dtype=np.float32)
    across = np.asarray(cv2.blur(across, (SMOOTHING, SMOOTHING)), dtype=np.float32)
    row = np.linspace(-1, 1, len(along), dtype=np.float32)[:, None]
    bounded = np.clip(along, -SATURATION, SATURATION)
    sign = 1.0 if float((bounded * row * static).sum()) >= 0 else -1.0
    reach = max(4 * NOISE, float(np.quantile(np.abs(along[::4, ::4]), RANGE_QUANTILE)))
    depth = np.clip(0.5 + 0.5 * sign * along / reach, 0, 1)
    size = np.abs(along)
    seen = size / (size + NOISE) * (size / (size + across + 1e-6)) * static
    return depth.astype(np.float32), (camera_confidence * seen).astype(np.float32)
