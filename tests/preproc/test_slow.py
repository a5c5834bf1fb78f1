"""Flow over several frames, and the slow motion that it shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.preproc.depths.camera import Camera
from moseg.preproc.depths.evidence import Envelope, envelope, pair_evidence
from moseg.preproc.depths.slow import FASTEST, GAP, chained_flow, slow_evidence

Float32 = NDArray[np.float32]

HEIGHT, WIDTH, SIDE = 56, 84, 24
REST = Camera(np.eye(3), 1.0)


@dataclass(frozen=True)
class Flows:
    """Flow of some pairs, listed."""

    there: list[Float32]
    back: list[Float32]

    def forward(self, pair: int) -> NDArray[np.float16]:
        return self.there[pair].astype(np.float16)

    def backward(self, pair: int) -> NDArray[np.float16]:
        return self.back[pair].astype(np.float16)


def constant(dx: float, dy: float) -> Float32:
    return np.full((HEIGHT, WIDTH, 2), (dx, dy), np.float32)


def steady(dx: float, dy: float, pairs: int = 8) -> Flows:
    return Flows([constant(dx, dy)] * pairs, [constant(-dx, -dy)] * pairs)


@pytest.mark.parametrize("gap", [4, -4, 1, -1])
def test_constant_flow_adds_up(gap: int) -> None:
    flow, good = chained_flow(steady(1.5, -0.75), 4, gap)
    assert flow.dtype == np.float32
    assert np.allclose(flow, (1.5 * gap, -0.75 * gap))
    assert good[8:-8, 8:-8].all()


def test_every_pair_of_the_gap_is_read_once() -> None:
    there = [constant(2.0**pair, 0) / 16 for pair in range(7)]
    flows = Flows(there, [-flow for flow in there])
    assert np.allclose(chained_flow(flows, 2, 4)[0][:, :60, 0], (4 + 8 + 16 + 32) / 16)
    assert np.allclose(chained_flow(flows, 6, -4)[0][:, 30:, 0], -(4 + 8 + 16 + 32) / 16)


def test_later_flow_is_read_where_the_earlier_one_ends() -> None:
    first, second = constant(10, 0), constant(0, 0)
    second[:, 40:] = 0, 3
    flows = Flows([first, second], [-first, -second])
    flow, _ = chained_flow(flows, 0, 2)
    assert np.allclose(flow[:, :29], (10, 0))
    assert np.allclose(flow[:, 31:], (10, 3))


@pytest.mark.parametrize("pair", [0, 1, 2, 3])
def test_one_bad_step_spoils_the_chain(pair: int) -> None:
    flows = steady(1, 0, 4)
    flows.back[pair] = constant(-1, 0)
    flows.back[pair][20:30, 30:45] = 2, 0
    _, good = chained_flow(flows, 0, 4)
    assert not good[22:28, 34:40].any()
    assert good[:18, :70].all()


def test_a_step_is_checked_where_it_ends() -> None:
    flows = steady(6, 0, 2)
    flows.back[1] = constant(-6, 0)
    flows.back[1][:, 40:50] = 6, 0
    _, good = chained_flow(flows, 0, 2)
    assert not good[:, 29:37].any()
    assert good[:, :27].all()
    assert good[:, 39:70].all()


def test_a_chain_that_leaves_the_image_is_not_good() -> None:
    _, good = chained_flow(steady(3, 0), 0, 4)
    assert not good[:, WIDTH - 11 :].any()
    assert good[:, : WIDTH - 13].all()


def texture(height: int, width: int, seed: int) -> Float32:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.asarray(128 + 45 * smooth / smooth.std(), np.float32)


def with_square(shift: float) -> Envelope:
    """A textured square on textured ground, ``shift`` pixels to the right of its first place."""
    matrix = np.array([[1, 0, 30 + shift], [0, 1, 16]], np.float64)
    square = cv2.warpAffine(texture(SIDE, SIDE, 1), matrix, (WIDTH, HEIGHT))
    share = cv2.warpAffine(np.ones((SIDE, SIDE, 1), np.float32), matrix, (WIDTH, HEIGHT))
    frame = square + texture(HEIGHT, WIDTH, 0) * (1 - share[..., None])
    return envelope(np.clip(frame, 0, 255).astype(np.uint8))


def square_flow(dx: float) -> Float32:
    flow = constant(0, 0)
    flow[16 : 16 + SIDE, 30 : 30 + SIDE, 0] = dx
    return flow


INNER = np.s_[20:36, 34:50]


def test_slow_motion_shows_over_the_gap_only() -> None:
    step = 0.4
    here, next_one, later = (with_square(step * frames) for frames in (0, 1, GAP))
    pair = pair_evidence(square_flow(step), REST, here, next_one)
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    slow = slow_evidence(square_flow(step * GAP), everywhere, REST, here, later)
    assert pair[INNER].max() < -1
    assert np.median(slow[INNER]) > 0
    assert np.median(slow[INNER]) > np.median(pair[INNER]) + 2
    assert slow[:10].max() < -1


def test_evidence_is_unknown_where_the_chain_is_not_good() -> None:
    here, good = with_square(0), np.ones((HEIGHT, WIDTH), bool)
    good[:9] = False
    evidence = slow_evidence(square_flow(2), good, REST, here, with_square(2))
    assert np.isposinf(evidence[:9]).all()
    assert np.isfinite(evidence[9:]).all()


def test_evidence_is_unknown_out_of_the_image() -> None:
    away = Camera(np.array([[1, 0, 0], [0, 1, -15], [0, 0, 1]], np.float64), 1.0)
    here, good = with_square(0), np.ones((HEIGHT, WIDTH), bool)
    evidence = slow_evidence(constant(0, -15), good, away, here, here)
    assert np.isposinf(evidence[:15]).all()
    assert np.isfinite(evidence[15:]).all()


def test_fast_motion_is_left_to_the_neighbours() -> None:
    here, good = with_square(0), np.ones((HEIGHT, WIDTH), bool)

    def lost(dx: float) -> float:
        flow, there = square_flow(dx), with_square(dx)
        whole = pair_evidence(flow, REST, here, there, 0.5)
        faded = slow_evidence(flow, good, REST, here, there)
        return float(np.median((whole - faded)[INNER]))

    assert lost(FASTEST - 1) == 0
    assert lost(2 * FASTEST) == pytest.approx(4)
