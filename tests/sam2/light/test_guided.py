"""The guided filter against a brute-force reference."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.sam2.light.guided import GuidedFilter, apply_coefficients, box_mean


def windows(image: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """All values in the window of each pixel, [h, w, (2 r + 1)^2, ...]; borders reflect."""
    pads = ((radius, radius), (radius, radius)) + ((0, 0),) * (image.ndim - 2)
    padded = np.pad(image, pads, mode="symmetric")
    height, width = image.shape[:2]
    side = 2 * radius + 1
    parts = [padded[i : i + height, j : j + width] for i in range(side) for j in range(side)]
    return np.stack(parts, axis=2)


def reference(
    guide: NDArray[np.uint8], target: NDArray[np.float32], radius: int, epsilon: float
) -> NDArray[np.float64]:
    """Ridge regression in every window, the coefficients averaged over windows."""
    colour = guide.astype(np.float64) / 255
    around, wanted = windows(colour, radius), windows(target.astype(np.float64), radius)
    fitted = np.zeros((*target.shape, 4))
    for row, column in np.ndindex(target.shape):
        values, goal = around[row, column], wanted[row, column]
        covariance = np.cov(values.T, bias=True) + epsilon * np.eye(3)
        cross = (values * goal[:, None]).mean(axis=0) - values.mean(axis=0) * goal.mean()
        slope = np.linalg.solve(covariance, cross)
        fitted[row, column] = [*slope, goal.mean() - slope @ values.mean(axis=0)]
    mean = windows(fitted, radius).mean(axis=2)
    return np.asarray((mean[..., :3] * colour).sum(axis=2) + mean[..., 3])


@pytest.mark.parametrize("size", [(24, 31), (6, 5)])
def test_guided_filter_equals_the_reference(size: tuple[int, int]) -> None:
    generator = np.random.default_rng(1)
    guide = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
    target = generator.standard_normal(size).astype(np.float32)
    filtered = apply_coefficients(GuidedFilter(guide, 2, 1e-2).coefficients(target), guide)
    assert np.allclose(filtered, reference(guide, target, 2, 1e-2), atol=2e-4)


def test_a_constant_target_stays_constant() -> None:
    guide = np.random.default_rng(2).integers(0, 256, (9, 14, 3), dtype=np.uint8)
    target = np.full((9, 14), -0.7, np.float32)
    filtered = apply_coefficients(GuidedFilter(guide).coefficients(target), guide)
    assert np.allclose(filtered, -0.7, atol=1e-3)


def test_a_part_of_the_frame_gives_the_same_values_as_the_whole() -> None:
    generator = np.random.default_rng(3)
    coefficients = generator.standard_normal((11, 17, 4)).astype(np.float32)
    full = generator.integers(0, 256, (37, 53, 3), dtype=np.uint8)
    whole = apply_coefficients(coefficients, full)
    part = apply_coefficients(coefficients, full[9:30, 14:51], (37, 53), (9, 14))
    assert np.allclose(part, whole[9:30, 14:51], atol=1e-5)


def test_enlarging_coefficients_places_pixels_as_resize_does() -> None:
    generator = np.random.default_rng(4)
    coefficients = np.zeros((11, 17, 4), np.float32)
    coefficients[..., 3] = generator.standard_normal((11, 17))
    full = generator.integers(0, 256, (37, 53, 3), dtype=np.uint8)
    expected = cv2.resize(coefficients[..., 3], (53, 37), interpolation=cv2.INTER_LINEAR)
    assert np.allclose(apply_coefficients(coefficients, full), expected, atol=0.08)


def test_box_mean_keeps_one_pixel() -> None:
    assert box_mean(np.array([[3.5]], np.float32), 8).tolist() == [[3.5]]
