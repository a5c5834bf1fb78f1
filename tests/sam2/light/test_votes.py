"""Drawing, carrying and spreading votes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.light.votes import carry_votes, draw_votes, flow_trust, spread_votes, warp


def array(values: list[float]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_drawn_votes_keep_their_mass_and_their_mean() -> None:
    xy = np.array([[10.2, 7.9], [-3, 4], [400, 2]], np.float32)
    votes = draw_votes(xy, array([2, 9, 9]), array([0.5, 1, 1]), (20, 30))
    assert np.isclose(votes[..., 1].sum(), 0.5, atol=1e-5)
    assert np.isclose(votes[..., 0].sum(), 1.0, atol=1e-5)
    assert votes[8, 10, 0] == votes[..., 0].max()


def test_votes_travel_with_the_flow_and_fade() -> None:
    votes = np.zeros((20, 30, 2), np.float32)
    votes[8, 10] = 4, 2
    flow = np.full((20, 30, 2), (-3, 1), np.float16)
    carried = carry_votes(votes, flow, -flow, 0.5)
    assert np.allclose(carried[7, 13], [2, 1], atol=1e-3)
    assert np.isclose(carried.sum(), 3, atol=1e-2)


def test_contradicted_flow_carries_nothing() -> None:
    flow = np.full((20, 30, 2), (5, 0), np.float16)
    trust = flow_trust(flow, flow)
    assert trust[:, :20].max() < 1e-6
    assert flow_trust(flow, -flow)[:, :20].min() > 0.99


def test_warp_is_zero_outside() -> None:
    flow = np.full((4, 6, 2), (2, 0), np.float32)
    assert warp(np.ones((4, 6), np.float32), flow)[0].tolist() == [1, 1, 1, 1, 0, 0]


def test_votes_stop_at_colour_edges() -> None:
    guide = np.zeros((30, 60, 3), np.uint8)
    guide[:, 40:] = 200
    xy = np.array([[20, 15], [50, 15]], np.float32)
    votes = draw_votes(xy, array([3, -3]), array([1, 1]), (30, 60))
    evidence = spread_votes(votes, guide, 10.0)
    assert evidence[:, :39].min() > 1
    assert evidence[:, 41:].max() < -2
