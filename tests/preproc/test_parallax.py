"""Depth from parallax that is made up."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.preproc.depths.parallax import disparity, fit_epipole, split_parallax

Float32 = NDArray[np.float32]

HEIGHT, WIDTH = 60, 90


def expanding(x: float, y: float, rate: float = 0.05) -> Float32:
    """Residual that grows away from (x, y)."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (rate * np.stack([columns - x, rows - y], axis=-1)).astype(np.float32)


def everywhere(value: float) -> Float32:
    return np.full((HEIGHT, WIDTH), value, np.float32)


def in_pixels(epipole: NDArray[np.float64]) -> NDArray[np.float64]:
    half = WIDTH / 2
    return np.asarray(epipole[:2] / epipole[2] * half + (half, HEIGHT / 2))


@pytest.mark.parametrize("place", [(45, 30), (20, 12), (130, -15)])
@pytest.mark.parametrize("rate", [0.08, -0.08])
def test_the_epipole_of_an_expanding_residual_is_found(
    place: tuple[float, float], rate: float
) -> None:
    epipole = fit_epipole(expanding(*place, rate), everywhere(1))
    assert np.linalg.norm(epipole) == pytest.approx(1)
    assert np.allclose(in_pixels(epipole), place, atol=0.2)


def test_the_epipole_of_a_sideways_camera_is_at_infinity() -> None:
    residual = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    residual[..., 0] = np.linspace(0, 4, HEIGHT)[:, None]
    epipole = fit_epipole(residual, everywhere(1))
    assert np.allclose(np.abs(epipole), (1, 0, 0), atol=1e-3)


def test_what_moves_on_its_own_does_not_bend_the_epipole() -> None:
    residual, weight = expanding(20, 12), everywhere(1)
    residual[20:50, 30:75] = 3, -3
    weight[20:50, 30:75] = 0
    assert np.allclose(in_pixels(fit_epipole(residual, weight)), (20, 12), atol=0.2)


def test_a_few_outliers_do_not_bend_the_epipole() -> None:
    residual = expanding(45, 30)
    residual[:18, :20] = 2, -2
    assert np.allclose(in_pixels(fit_epipole(residual, everywhere(1))), (45, 30), atol=2.5)


def test_parallax_splits_along_and_across_the_lines() -> None:
    infinite = np.array([1.0, 0, 0])
    residual = np.full((HEIGHT, WIDTH, 2), (-3, 2), np.float32)
    along, across = split_parallax(residual, infinite)
    assert along.shape == across.shape == (HEIGHT, WIDTH)
    assert np.allclose(along, -3, atol=1e-4)
    assert np.allclose(across, 2, atol=1e-4)
    centre = np.array([0.0, 0, 1])
    residual = expanding(WIDTH / 2, HEIGHT / 2, 0.1)
    along, across = split_parallax(residual, centre)
    assert np.allclose(np.abs(along), np.hypot(residual[..., 0], residual[..., 1]), atol=1e-4)
    assert np.allclose(across, 0, atol=1e-4)


def ground(noise: float = 0.0) -> Float32:
    """A camera moving sideways over ground: what is lower in the image shows more parallax."""
    residual = np.random.default_rng(0).normal(0, noise, (HEIGHT, WIDTH, 2)).astype(np.float32)
    residual[..., 0] += np.linspace(-4, 4, HEIGHT, dtype=np.float32)[:, None]
    return residual


@pytest.mark.parametrize("direction", [1, -1])
def test_lower_in_the_image_is_nearer(direction: int) -> None:
    depth, confidence = disparity(direction * ground(), everywhere(-4), 1.0)
    assert depth.dtype == confidence.dtype == np.float32
    assert (np.diff(depth.mean(axis=1)) >= -1e-5).all()
    assert depth[0].max() < 0.1
    assert depth[-1].min() > 0.9
    assert np.allclose(depth[HEIGHT // 2 - 1 : HEIGHT // 2 + 1], 0.5, atol=0.03)
    assert confidence[[0, -1]].min() > 0.8


@pytest.mark.parametrize("scale", [0.0, 0.1, 1e3, 1e9])
def test_disparity_is_bounded_whatever_the_residual(scale: float) -> None:
    residual = np.random.default_rng(3).normal(0, 1, (HEIGHT, WIDTH, 2)) * scale
    evidence = np.random.default_rng(4).normal(0, 9, (HEIGHT, WIDTH)).astype(np.float32)
    for values in disparity(residual.astype(np.float32), evidence, 0.7):
        assert values.shape == (HEIGHT, WIDTH)
        assert values.min() >= 0
        assert values.max() <= 1


def test_without_parallax_nothing_is_known() -> None:
    depth, confidence = disparity(np.zeros((HEIGHT, WIDTH, 2), np.float32), everywhere(-4), 1.0)
    assert (depth == 0.5).all()
    assert (confidence == 0).all()


def test_noise_does_not_fill_the_range() -> None:
    noise = np.random.default_rng(5).normal(0, 0.1, (HEIGHT, WIDTH, 2)).astype(np.float32)
    depth, _ = disparity(noise, everywhere(-4), 1.0)
    assert np.abs(depth - 0.5).max() < 0.05


def test_confidence_needs_a_camera_and_rest() -> None:
    evidence = everywhere(-4)
    evidence[:, 60:] = 4
    _, known = disparity(ground(0.05), evidence, 1.0)
    _, doubtful = disparity(ground(0.05), evidence, 0.5)
    assert np.allclose(doubtful, known / 2)
    assert known[-1, :60].min() > 0.7
    assert known[:, 60:].max() < 0.05


def test_what_moves_across_the_lines_has_no_confidence() -> None:
    residual = ground()
    residual[35:55, 30:60, 1] += 15
    _, confidence = disparity(residual, everywhere(-4), 1.0)
    assert confidence[42:48, 38:52].max() < 0.3 < confidence[42:48, :20].min()


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (9, 3)])
def test_tiny_frames_have_disparity(size: tuple[int, int]) -> None:
    depth, confidence = disparity(np.ones((*size, 2), np.float32), np.zeros(size, np.float32), 1.0)
    assert depth.shape == confidence.shape == size
    assert np.isfinite(depth).all()
    assert np.isfinite(confidence).all()
