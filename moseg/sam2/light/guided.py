"""Guided filter with a colour guide, and its use to lift a small result to full size.

He, Sun and Tang, "Guided image filtering" (ECCV 2010, TPAMI 2013); fitting on the small image
and applying on the large one is He and Sun, "Fast guided filter" (arXiv 1505.00996, 2015).
Box means reflect at the border (the border pixel itself is repeated).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]


def box_mean(values: FloatArray, radius: int) -> FloatArray:
    """Mean over the square window of half side ``radius``; [h, w] or [h, w, c], c <= 4."""
    side = 2 * radius + 1
    mean = cv2.boxFilter(values, -1, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(mean, dtype=np.float32).reshape(values.shape)


class GuidedFilter:
    """Locally linear model of a target in the colours of one guide frame."""

    def __init__(self, guide: ByteArray, radius: int = 8, epsilon: float = 1e-4) -> None:
        """Prepare the window statistics of the guide.

        Args:
            guide: RGB frame, uint8 [h, w, 3].
            radius: half side of the window in pixels.
            epsilon: ridge on the coefficients, in squared units of colour 0..1.
        """
        self._radius = radius
        self._guide = np.asarray(guide, dtype=np.float32) * np.float32(1 / 255)
        self._mean = box_mean(self._guide, radius)
        self._inverse = _inverse_covariance(self._guide, self._mean, radius, epsilon)

    def coefficients(self, target: FloatArray) -> FloatArray:
        """Smoothed linear coefficients, float32 [h, w, 4]: three per colour 0..1, one constant.

        Args:
            target: the image to filter, float32 [h, w].
        """
        products = np.dstack([self._guide * target[..., None], target])
        moments = box_mean(products, self._radius)
        mean = moments[..., 3]
        covariance = moments[..., :3] - self._mean * mean[..., None]
        fitted = np.empty_like(products)
        red, green, blue = covariance[..., 0], covariance[..., 1], covariance[..., 2]
        rr, rg, rb, gg, gb, bb = self._inverse
        fitted[..., 0] = rr * red + rg * green + rb * blue
        fitted[..., 1] = rg * red + gg * green + gb * blue
        fitted[..., 2] = rb * red + gb * green + bb * blue
        fitted[..., 3] = mean - np.einsum("ijk,ijk->ij", fitted[..., :3], self._mean)
        return box_mean(fitted, self._radius)


def apply_coefficients(
    coefficients: FloatArray,
    guide: ByteArray,
    size: tuple[int, int] | None = None,
    origin: tuple[int, int] = (0, 0),
) -> FloatArray:
    """The filtered image on a guide of the same or a larger size, float32 [H, W].

    Args:
        coefficients: of ``GuidedFilter.coefficients``, float32 [h, w, 4].
        guide: RGB frame that the result follows, or a part of it, uint8 [H, W, 3].
        size: height and width of the whole frame when ``guide`` is a part.
        origin: row and column of the part in the frame.
    """
    low_height, low_width = coefficients.shape[:2]
    height, width = guide.shape[:2]
    size = size or (height, width)
    if (low_height, low_width) != (height, width) or size != (height, width):
        along, down = low_width / size[1], low_height / size[0]
        place = np.array(
            [
                [along, 0, (origin[1] + 0.5) * along - 0.5],
                [0, down, (origin[0] + 0.5) * down - 0.5],
            ]
        )
        enlarged = cv2.warpAffine(
            coefficients,
            place,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        coefficients = np.asarray(enlarged, np.float32).reshape(height, width, 4)
    result = np.einsum("ijk,ijk->ij", coefficients[..., :3], guide.astype(np.float32))
    result *= np.float32(1 / 255)
    result += coefficients[..., 3]
    return np.asarray(result, dtype=np.float32)


def _inverse_covariance(
    guide: FloatArray, mean: FloatArray, radius: int, epsilon: float
) -> tuple[FloatArray, ...]:
    """The six distinct entries of the inverted 3x3 colour covariance, each float32 [h, w]."""
    red, green, blue = (np.ascontiguousarray(guide[..., i]) for i in range(3))
    mean_r, mean_g, mean_b = mean[..., 0], mean[..., 1], mean[..., 2]
    rr = box_mean(red * red, radius) - mean_r * mean_r + np.float32(epsilon)
    rg = box_mean(red * green, radius) - mean_r * mean_g
    rb = box_mean(red * blue, radius) - mean_r * mean_b
    gg = box_mean(green * green, radius) - mean_g * mean_g + np.float32(epsilon)
    gb = box_mean(green * blue, radius) - mean_g * mean_b
    bb = box_mean(blue * blue, radius) - mean_b * mean_b + np.float32(epsilon)
    cofactor_rr = gg * bb - gb * gb
    cofactor_rg = rb * gb - rg * bb
    cofactor_rb = rg * gb - rb * gg
    scale = 1 / (rr * cofactor_rr + rg * cofactor_rg + rb * cofactor_rb)
    return (
        cofactor_rr * scale,
        cofactor_rg * scale,
        cofactor_rb * scale,
        (rr * bb - rb * rb) * scale,
        (rb * rg - rr * gb) * scale,
        (rr * gg - rg * rg) * scale,
    )
