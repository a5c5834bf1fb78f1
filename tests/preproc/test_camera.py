"""The camera between two frames, against homographies that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from moseg.preproc.depths.camera import (
    Camera,
    camera_flow,
    fit_camera,
    identity_camera,
    plausible,
)

Double = NDArray[np.float64]
Float32 = NDArray[np.float32]

HEIGHT, WIDTH = 60, 90
KNOWN = np.array([[1.02, 0.03, 2.5], [-0.02, 0.99, -1.5], [2e-4, -1e-4, 1.0]])


def corners() -> Double:
    x, y = [0, WIDTH - 1, WIDTH - 1, 0], [0, 0, HEIGHT - 1, HEIGHT - 1]
    return np.array([x, y, [1] * 4], dtype=np.float64)


def moved_corners(homography: Double) -> Double:
    mapped = homography @ corners()
    return np.asarray((mapped[:2] / mapped[2]).T)


def flow_point_by_point(homography: Double, height: int, width: int) -> Float32:
    flow = np.zeros((height, width, 2), np.float32)
    for y in range(height):
        for x in range(width):
            u, v, w = homography @ [x, y, 1]
            flow[y, x] = u / w - x, v / w - y
    return flow


def test_camera_flow_is_that_of_each_point() -> None:
    flow = camera_flow(Camera(KNOWN, 1.0), 13, 17)
    assert flow.dtype == np.float32
    assert np.allclose(flow, flow_point_by_point(KNOWN, 13, 17), atol=1e-4)


def test_a_camera_is_found_in_its_own_flow() -> None:
    found = fit_camera(camera_flow(Camera(KNOWN, 1.0), HEIGHT, WIDTH))
    assert found.confidence == 1.0
    assert np.abs(moved_corners(found.homography) - moved_corners(KNOWN)).max() < 0.02


def test_a_camera_is_found_behind_a_moving_object() -> None:
    flow = camera_flow(Camera(KNOWN, 1.0), HEIGHT, WIDTH)
    flow[:, : int(0.3 * WIDTH)] += (9, -6)
    found = fit_camera(flow)
    assert found.confidence == 1.0
    assert np.abs(moved_corners(found.homography) - moved_corners(KNOWN)).max() < 0.05


def test_the_fit_is_the_same_every_time() -> None:
    noise = np.random.default_rng(0).normal(0, 0.7, (HEIGHT, WIDTH, 2)).astype(np.float32)
    flow = camera_flow(Camera(KNOWN, 1.0), HEIGHT, WIDTH) + noise
    assert (fit_camera(flow).homography == fit_camera(flow).homography).all()


def noise_flow() -> Float32:
    return np.random.default_rng(1).uniform(-40, 40, (HEIGHT, WIDTH, 2)).astype(np.float32)


def few_agree() -> Float32:
    flow = noise_flow()
    flow[:, : int(0.1 * WIDTH)] = 2, 1
    return flow


def with_one_nan() -> Float32:
    flow = np.zeros((20, 30, 2), np.float32)
    flow[7, 11] = np.nan
    return flow


def collapsing() -> Float32:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([WIDTH / 2 - x, HEIGHT / 2 - y], axis=-1).astype(np.float32)


@pytest.mark.parametrize(
    "flow",
    [
        np.zeros((1, 1, 2), np.float32),
        np.zeros((3, 200, 2), np.float32),
        np.zeros((200, 3, 2), np.float32),
        with_one_nan(),
        np.full((20, 30, 2), np.inf, np.float32),
        collapsing(),
        noise_flow(),
        few_agree(),
        np.full((HEIGHT, WIDTH, 2), 500, np.float32),
    ],
    ids=["1x1", "flat", "thin", "nan", "infinite", "to one point", "noise", "few agree", "too far"],
)
def test_flow_that_fits_no_camera_is_a_camera_at_rest(flow: Float32) -> None:
    found = fit_camera(flow)
    assert found.confidence == 0
    assert (found.homography == np.eye(3)).all()


def test_the_identity_has_no_confidence() -> None:
    assert identity_camera().confidence == 0
    assert (camera_flow(identity_camera(), 5, 6) == 0).all()


def shift(x: float, y: float) -> Double:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float64)


def turned(degrees: float) -> Double:
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    return shift(WIDTH / 2, HEIGHT / 2) @ turn @ shift(-WIDTH / 2, -HEIGHT / 2)


@pytest.mark.parametrize(
    "homography",
    [np.eye(3), KNOWN, -KNOWN, turned(40), shift(0.9 * WIDTH, 0), np.diag([0.5, 0.5, 1])],
    ids=["rest", "known", "negative scale", "turned", "far but near enough", "zoomed"],
)
def test_plausible_cameras_pass(homography: Double) -> None:
    assert plausible(homography, HEIGHT, WIDTH)


@pytest.mark.parametrize(
    "homography",
    [
        np.array([[-1, 0, WIDTH], [0, 1, 0], [0, 0, 1]], dtype=np.float64),
        np.array([[1, 0, 0], [0, 1, 0], [-1 / (0.5 * WIDTH), 0, 1]]),
        np.array([[0.05, 0, 0], [0, 0.05, 0], [-0.95 / WIDTH, 0, 1]]),
        shift(1.3 * WIDTH, 0),
        np.diag([0.05, 0.05, 1]),
        np.diag([1, 1e-4, 1]),
        np.full((3, 3), np.nan),
    ],
    ids=["mirrored", "folded", "at the horizon", "far", "shrunk to a point", "to a line", "nan"],
)
def test_implausible_cameras_do_not(homography: Double) -> None:
    assert not plausible(homography, HEIGHT, WIDTH)


@settings(max_examples=15, deadline=None)
@given(st.floats(-8, 8), st.floats(-8, 8), st.floats(-6, 6))
def test_any_turn_and_shift_is_recovered(x: float, y: float, degrees: float) -> None:
    known = shift(x, y) @ turned(degrees)
    found = fit_camera(camera_flow(Camera(known, 1), HEIGHT, WIDTH))
    assert np.abs(moved_corners(found.homography) - moved_corners(known)).max() < 0.02
