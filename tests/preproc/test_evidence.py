"""Evidence of motion on frames where it is known what moves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from moseg.preproc.depths.camera import Camera, camera_flow
from moseg.preproc.depths.evidence import (
    LIMIT,
    PARALLAX_SHARE,
    SPREAD_FACTOR,
    SPREAD_FLOOR,
    UNKNOWN,
    beyond_image,
    envelope,
    mismatch,
    motion_evidence,
    normalised_residual,
    pair_evidence,
)

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

HEIGHT, WIDTH, SIDE = 64, 96, 24
REST = Camera(np.eye(3), 1.0)


def texture(height: int, width: int, seed: int) -> UInt8:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def with_square(left: int, top: int = 20) -> UInt8:
    frame = texture(HEIGHT, WIDTH, 0)
    frame[top : top + SIDE, left : left + SIDE] = texture(SIDE, SIDE, 1)
    return frame


def square_flow(left: int, dx: float, top: int = 20) -> Float32:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[top : top + SIDE, left : left + SIDE, 0] = dx
    return flow


def constant(dx: float, dy: float) -> Float32:
    return np.full((HEIGHT, WIDTH, 2), (dx, dy), np.float32)


def test_a_moving_square_stands_out() -> None:
    past, here, future = (envelope(with_square(left)) for left in (31, 36, 41))
    pairs = [
        pair_evidence(square_flow(36, -5), REST, here, past),
        pair_evidence(square_flow(36, 5), REST, here, future),
    ]
    evidence = motion_evidence(pairs, HEIGHT, WIDTH)
    assert evidence.shape == (HEIGHT, WIDTH)
    assert evidence.dtype == np.float32
    square = np.zeros((HEIGHT, WIDTH), bool)
    square[20 : 20 + SIDE, 36 : 36 + SIDE] = True
    assert evidence[square].min() > 1
    assert evidence[~square].max() < -1


def test_a_moving_square_stands_out_under_a_moving_camera() -> None:
    whole = np.pad(with_square(36), ((0, 0), (4, 4), (0, 0)), mode="reflect")
    later = np.pad(with_square(41), ((0, 0), (4, 4), (0, 0)), mode="reflect")
    here, there = envelope(whole[:, 4:-4]), envelope(later[:, 1 : WIDTH + 1])
    pan = Camera(np.array([[1, 0, 3], [0, 1, 0], [0, 0, 1]], np.float64), 1.0)
    flow = square_flow(36, 5) + np.array([3, 0], np.float32)
    evidence = motion_evidence([pair_evidence(flow, pan, here, there)], HEIGHT, WIDTH)
    assert evidence[24:40, 40:56].min() > 1
    assert evidence[:16, :80].max() < -1


@pytest.mark.parametrize("frame", [with_square(36), np.full((HEIGHT, WIDTH, 3), 90, np.uint8)])
def test_identical_frames_show_no_motion(frame: UInt8) -> None:
    here = envelope(frame)
    pairs = [pair_evidence(constant(0, 0), REST, here, here) for _ in range(2)]
    assert motion_evidence(pairs, HEIGHT, WIDTH).max() < -1


def test_flow_that_the_frames_do_not_show_is_not_believed() -> None:
    here = envelope(with_square(36))
    assert pair_evidence(square_flow(36, 6), REST, here, here).max() < -1


def test_flow_that_leaks_over_plain_ground_is_not_believed() -> None:
    plain = envelope(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    assert pair_evidence(square_flow(36, 6), REST, plain, plain).max() < -1


def test_flow_that_leaks_along_stripes_is_not_believed() -> None:
    """Flow along an edge cannot be seen; where the camera would put it, the ground fits."""
    stripes = np.repeat(texture(1, WIDTH + 6, 4), HEIGHT, axis=0)
    here, there = envelope(stripes[:, 6:]), envelope(stripes[:, :WIDTH])
    pan = Camera(np.array([[1, 0, 6], [0, 1, 0], [0, 0, 1]], np.float64), 1.0)
    flow = constant(6, 0)
    flow[20:44, 30:60, 1] = 8
    assert pair_evidence(flow, pan, here, there)[:, : WIDTH - 10].max() < -1


def test_change_without_flow_is_not_motion() -> None:
    here, there = envelope(with_square(36)), envelope(255 - with_square(36))
    assert pair_evidence(constant(0, 0), REST, here, there).max() < -1


def test_what_changes_while_it_moves_counts_less() -> None:
    """Spray and waves: their own flow does not explain them either."""
    here, moved = envelope(with_square(36)), with_square(44)
    fluid = moved.copy()
    fluid[20 : 20 + SIDE, 44 : 44 + SIDE] = texture(SIDE, SIDE, 2)
    thing_evidence = pair_evidence(square_flow(36, 8), REST, here, envelope(moved))
    fluid_evidence = pair_evidence(square_flow(36, 8), REST, here, envelope(fluid))
    inner = np.s_[26:38, 42:54]
    assert fluid_evidence[inner].max() < thing_evidence[inner].min() - 1


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(2, 20), st.floats(-3, 3))
def test_parallax_along_the_camera_flow_is_forgiven(
    share: float, length: float, angle: float
) -> None:
    static = constant(length * np.cos(angle), length * np.sin(angle))
    flow = static * np.float32(1 + share * PARALLAX_SHARE)
    assert normalised_residual(flow, static, 0).max() < 0.05


def test_more_than_parallax_is_not_forgiven() -> None:
    static = constant(8, 0)
    most = 8 * PARALLAX_SHARE

    def units(dx: float, dy: float) -> float:
        flow = static.copy()
        flow[30:40, 30:40] += (dx, dy)
        return float(normalised_residual(flow, static)[35, 35] * SPREAD_FLOOR)

    assert units(most, 0) == pytest.approx(0, abs=0.05)
    assert units(most + 3, 0) == pytest.approx(3, abs=0.05), "farther than any static point"
    assert units(-2, 0) == pytest.approx(2, abs=0.05), "slower than the plane behind it"
    assert units(0, 2) == pytest.approx(2, abs=0.05), "across the camera's flow"
    assert units(most, 2) == pytest.approx(2, abs=0.05)


def test_the_residual_is_measured_in_spreads_of_the_background() -> None:
    flow = constant(0, 3)
    flow[:30] = 0, 1
    still = constant(0, 0)
    assert np.allclose(normalised_residual(flow, still)[40], 3 / SPREAD_FACTOR, atol=1e-3)
    assert np.allclose(normalised_residual(flow, still, 0.9)[40], 1 / SPREAD_FACTOR, atol=1e-3)


def test_frames_that_agree_have_no_mismatch() -> None:
    whole = texture(HEIGHT, WIDTH + 8, 3)
    here, there = envelope(whole[:, :WIDTH]), envelope(whole[:, 4 : WIDTH + 4])
    assert mismatch(here, there, constant(-4, 0))[:, 12:].max() < 1e-3
    assert mismatch(here, there, constant(-3, 0))[:, 12:].max() < 1e-3, "a pixel off is forgiven"
    assert mismatch(here, there, constant(3, 0))[:, 12:-12].mean() > 10


def test_nothing_is_said_of_what_leaves_the_image() -> None:
    frame = envelope(with_square(36))
    away = Camera(np.array([[1, 0, 20], [0, 1, 0], [0, 0, 1]], np.float64), 1.0)
    evidence = pair_evidence(camera_flow(away, HEIGHT, WIDTH), away, frame, frame)
    assert np.isposinf(evidence[:, WIDTH - 20 :]).all()
    assert np.isfinite(evidence[:, : WIDTH - 20]).all()


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (-3, 0), (0, 3), (0, -3)])
def test_beyond_image_is_half_a_pixel_past_the_border(dx: int, dy: int) -> None:
    beyond = beyond_image(np.full((9, 11, 2), (dx, dy), np.float32))
    inside = np.zeros((9, 11), bool)
    inside[max(0, -dy) : 9 - max(0, dy), max(0, -dx) : 11 - max(0, dx)] = True
    assert (beyond == ~inside).all()
    nearly = np.full((9, 11, 2), (np.sign(dx) * 0.4, np.sign(dy) * 0.4), np.float32)
    assert not beyond_image(nearly).any()


def test_the_smaller_answer_of_past_and_future_stands() -> None:
    def whole(value: float) -> Float32:
        return np.full((3, 4), value, np.float32)

    known, hidden = whole(-1), whole(np.inf)
    assert (motion_evidence([whole(2), known], 3, 4) == -1).all()
    assert (motion_evidence([hidden, known], 3, 4) == -1).all()
    assert (motion_evidence([hidden, hidden], 3, 4) == UNKNOWN).all()
    assert (motion_evidence([], 3, 4) == UNKNOWN).all()
    assert (motion_evidence([whole(99)], 3, 4) == LIMIT).all()
    assert (motion_evidence([whole(-99)], 3, 4) == -LIMIT).all()


def test_slow_evidence_counts_where_it_is_larger() -> None:
    fast = np.array([[-3, 3]], np.float32)
    slow = [np.array([[2, 1]], np.float32), np.array([[1, np.inf]], np.float32)]
    assert motion_evidence([fast], 1, 2, slow).tolist() == [[1, 3]]
    unknown = [np.full((1, 2), np.inf, np.float32)]
    assert motion_evidence([fast], 1, 2, unknown).tolist() == [[-3, 3]]
