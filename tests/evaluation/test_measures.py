"""Region and boundary measures against plain loops, and the statistics of a series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from moseg.evaluation import measures
from moseg.evaluation.measures import Mask

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@st.composite
def mask_groups(draw: st.DrawFn, count: int) -> list[Mask]:
    size = draw(SIZES)
    return [draw(hnp.arrays(np.bool_, size)) for _ in range(count)]


def loop_boundary(mask: Mask) -> Mask:
    """The boundary by its definition, one pixel at a time."""
    height, width = mask.shape
    edge = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            east, south = x + 1 < width, y + 1 < height
            neighbours = [mask[y, x + 1]] if east else []
            neighbours += [mask[y + 1, x]] if south else []
            neighbours += [mask[y + 1, x + 1]] if east and south else []
            edge[y, x] = any(other != mask[y, x] for other in neighbours)
    return edge


def loop_f(pred: Mask, truth: Mask, radius: int) -> float:
    """F by its definition: distances between all pairs of boundary pixels."""
    ours, theirs = (np.argwhere(loop_boundary(mask)) for mask in (pred, truth))
    if len(ours) == 0 and len(theirs) == 0:
        return 1.0
    if len(ours) == 0 or len(theirs) == 0:
        return 0.0
    near = ((ours[:, None] - theirs[None]) ** 2).sum(axis=2) <= radius**2
    precision, recall = near.any(axis=1).mean(), near.any(axis=0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


@given(mask_groups(2))
def test_region_similarity_is_symmetric_and_a_share(masks: list[Mask]) -> None:
    pred, truth = masks
    value = measures.region_similarity(pred, truth)
    assert value == measures.region_similarity(truth, pred)
    assert 0 <= value <= 1
    assert (value == 1) == np.array_equal(pred, truth)


@given(mask_groups(3))
def test_region_similarity_does_not_see_void(masks: list[Mask]) -> None:
    pred, truth, void = masks
    value = measures.region_similarity(pred, truth, void)
    assert value == measures.region_similarity(pred ^ void, truth, void)
    assert value == measures.region_similarity(pred & ~void, truth & ~void)


@given(mask_groups(1))
def test_equal_masks_have_full_marks(masks: list[Mask]) -> None:
    assert measures.boundary_measure(masks[0], masks[0]) == 1
    assert measures.region_similarity(masks[0], masks[0]) == 1


@given(mask_groups(3), st.integers(0, 4))
def test_boundary_measure_equals_the_definition(masks: list[Mask], radius: int) -> None:
    pred, truth, void = masks
    assert measures.boundary_measure(pred, truth, bound_pixels=radius) == pytest.approx(
        loop_f(pred, truth, radius), abs=1e-12
    )
    assert measures.boundary_measure(pred, truth, void, radius) == pytest.approx(
        loop_f(pred & ~void, truth & ~void, radius), abs=1e-12
    )


@given(mask_groups(1))
def test_boundary_map_equals_the_definition(masks: list[Mask]) -> None:
    assert np.array_equal(measures.boundary_map(masks[0]), loop_boundary(masks[0]))


def test_default_bound_grows_with_the_image() -> None:
    assert measures.default_bound(480, 854) == 8
    assert measures.default_bound(60, 80) == 1


@pytest.mark.parametrize(("shift", "agreement"), [(8, 1.0), (9, 0.0)])
def test_boundaries_of_davis_may_be_eight_pixels_apart(shift: int, agreement: float) -> None:
    pred, truth = np.zeros((2, 480, 854), np.bool_)
    pred[:, 400 + shift :], truth[:, 400:] = True, True
    assert measures.boundary_measure(pred, truth) == agreement


def test_outlines_can_be_reused_for_several_masks() -> None:
    truth = np.zeros((40, 60), np.bool_)
    truth[10:30, 20:40] = True
    outline = measures.outline(truth)
    for shift in range(4):
        pred = np.roll(truth, shift, axis=1)
        pair = measures.outline_agreement(measures.outline(pred), outline)
        assert pair == measures.boundary_measure(pred, truth)


def test_masks_of_different_size_are_refused() -> None:
    small, large = np.zeros((4, 5), np.bool_), np.zeros((5, 4), np.bool_)
    with pytest.raises(ValueError, match="differ in size"):
        measures.region_similarity(small, large)
    with pytest.raises(ValueError, match="differ in size"):
        measures.boundary_measure(small, small, large)


def test_statistics_of_a_short_series() -> None:
    found = measures.statistics(np.array([0.9, 0.5, 0.6, 0.4]))
    assert found.mean == pytest.approx(0.6)
    assert found.recall == 0.5  # 0.5 itself is not above
    assert found.decay == pytest.approx((0.9 + 0.5) / 2 - (0.6 + 0.4) / 2)


@given(st.integers(257, 2000))
def test_decay_of_a_long_series_uses_its_real_ends(length: int) -> None:
    falling = np.linspace(1, 0, length)
    share = math.floor((length - 1) / 4) / (length - 1)
    assert measures.statistics(falling).decay == pytest.approx(1 - share, abs=2 / length)


def test_nan_is_left_out_of_the_mean() -> None:
    found = measures.statistics(np.array([1.0, np.nan, 0.0, 0.8]))
    assert found.mean == pytest.approx(0.6)
    assert found.recall == 0.5


def test_statistics_need_a_value() -> None:
    with pytest.raises(ValueError, match="non-empty"):
        measures.statistics(np.empty(0))
