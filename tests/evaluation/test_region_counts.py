"""Precision and recall of clusters against regions: by hand, by the tool, and what must hold."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from moseg.evaluation.region_counts import (
    RegionFigures,
    add_up,
    count_overlap,
    harmonic_mean,
    region_figures,
    set_figures,
)
from tests.parity import cases

LABELS = arrays(np.uint8, (2, 5, 6), elements=st.integers(0, 3))
WEIGHTS = arrays(np.float64, (2, 5, 6), elements=st.sampled_from([0.25, 0.5, 1.0]))


def figures_of(
    regions: NDArray[np.uint8],
    clusters: NDArray[np.uint8],
    weights: NDArray[np.float64] | None = None,
    threshold: float = 0.75,
) -> RegionFigures:
    """Figures of label maps [T, H, W], all pixels covered."""
    number = int(regions.max()) + 1
    frames = [
        count_overlap(regions[t], clusters[t], None if weights is None else weights[t], number)
        for t in range(len(regions))
    ]
    counts = add_up(frames)
    return region_figures(counts, counts.sum(axis=1), threshold)


@pytest.mark.parity
@pytest.mark.parametrize("file", cases("davis_evaluation", "fbms_pr*.npz"))
def test_figures_equal_those_of_the_tool(file: Path) -> None:
    with np.load(file) as stored:
        known = dict(stored)
    frames = known["in_labeled_frames"]
    colours, regions = np.unique(known["in_gt"][frames], return_inverse=True)
    assert len(colours) == len(known["in_region_scale_values"])
    found = figures_of(
        regions.reshape(known["in_gt"][frames].shape).astype(np.uint8),
        known["in_pred"][frames],
        known["in_prob"][frames] / 255,
    )
    shown = found.precision, found.recall, found.f
    np.testing.assert_allclose(shown, known["out_P_R_F"], rtol=0, atol=1e-5)
    assert found.extracted == known["out_extracted"]
    assert found.visible == known["out_visible"]
    assert 100 * found.density == pytest.approx(float(known["out_density_percent"]), abs=1e-5)


def test_weighted_counts_of_one_frame() -> None:
    regions = np.array([[0, 0, 1], [1, 2, 2]])
    clusters = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    weights = np.array([[1, 0.5, 0.25], [0.25, 1, 0]])
    counts = count_overlap(regions, clusters, weights, 4)
    np.testing.assert_array_equal(counts, [[1, 0.5], [0, 0.5], [1, 0], [0, 0]])
    plain = count_overlap(regions, clusters, None, 4)
    np.testing.assert_array_equal(plain, [[1, 1], [0, 2], [2, 0], [0, 0]])


def test_frames_with_few_clusters_are_added_to_those_with_more() -> None:
    total = add_up([np.array([[1.0], [2.0]]), np.array([[1.0, 5.0], [0.0, 1.0]])])
    np.testing.assert_array_equal(total, [[2, 5], [2, 1]])
    with pytest.raises(ValueError, match="2 and 3 regions"):
        add_up([np.ones((2, 1)), np.ones((3, 1))])
    with pytest.raises(ValueError, match="at least one frame"):
        add_up([])


def test_a_region_left_over_counts_as_precise_and_not_recalled() -> None:
    found = region_figures(np.array([[60.0], [40.0]]), np.array([60.0, 40.0]), 0.7)
    assert found.precision == pytest.approx((0.6 + 1) / 2)
    assert found.recall == pytest.approx((1 + 0) / 2)
    assert found.f == pytest.approx(2 * 0.8 * 0.5 / 1.3)
    assert (found.extracted, found.visible) == (0, 1)
    assert [(score.region, score.cluster) for score in found.regions] == [(0, 0), (1, None)]


def test_clusters_left_over_cost_recall_only() -> None:
    counts = np.array([[60.0, 0.0, 0.0], [0.0, 30.0, 10.0]])
    found = region_figures(counts, counts.sum(axis=1), 0.75)
    assert found.precision == 1
    assert found.recall == pytest.approx((1 + 0.75) / 2)
    assert (found.extracted, found.visible) == (1, 1)


def test_a_pair_without_overlap_counts_as_it_is() -> None:
    counts = np.array([[90.0, 1.0], [5.0, 0.0]])  # the second region gets what is left
    found = region_figures(counts, counts.sum(axis=1), 0.75)
    assert [(score.region, score.cluster) for score in found.regions] == [(0, 0), (1, 1)]
    assert found.precision == pytest.approx((90 / 95 + 0) / 2)
    assert found.recall == pytest.approx((90 / 91 + 0) / 2)


def test_ten_thousandths_are_rounded_down_before_clusters_are_given() -> None:
    """The sum of F is greater along the diagonal, 9607.9, but of whole ten-thousandths 9606."""
    counts = np.array([[13.0, 30.0], [15.0, 33.0]])
    found = region_figures(counts, counts.sum(axis=1), 0.75)
    assert [(score.region, score.cluster) for score in found.regions] == [(0, 1), (1, 0)]


def test_extracted_needs_more_than_the_threshold() -> None:
    counts = np.array([[75.0, 25.0], [25.0, 75.0]])
    weights = counts.sum(axis=1)
    assert region_figures(counts, weights, 0.75).extracted == 0
    assert region_figures(counts, weights, 0.749).extracted == 1


def test_regions_and_clusters_without_points_count_for_nothing() -> None:
    counts = np.array([[60.0, 0.0, 5.0], [0.0, 0.0, 0.0], [0.0, 0.0, 40.0]])
    found = region_figures(counts, counts.sum(axis=1), 0.75)
    bare = counts[np.ix_([0, 2], [0, 2])]
    without = region_figures(bare, bare.sum(axis=1), 0.75)
    assert (found.precision, found.recall, found.visible) == (
        without.precision,
        without.recall,
        without.visible,
    )
    assert [(score.region, score.cluster) for score in found.regions] == [(0, 0), (2, 2)]
    with pytest.raises(ValueError, match="some weight"):
        region_figures(np.zeros((2, 1)), np.zeros(2), 0.75)


def test_density_is_the_mean_covered_share_and_recall_is_of_that_part() -> None:
    counts = np.array([[30.0, 0.0], [0.0, 10.0]])
    found = region_figures(counts, np.array([60.0, 10.0]), 0.75)
    assert found.density == pytest.approx((0.5 + 1) / 2)
    assert found.recall == 1


def test_a_region_that_nothing_covers_lowers_density_and_recall() -> None:
    counts = np.array([[30.0, 5.0], [0.0, 0.0]])
    found = region_figures(counts, np.array([35.0, 10.0]), 0.75)
    assert found.density == pytest.approx(0.5)
    assert found.regions[1].recall == 0
    assert found.visible == 1


def test_f_of_a_set_is_that_of_mean_precision_and_mean_recall() -> None:
    parts = [
        RegionFigures(1.0, 0.5, 2 / 3, 1.0, 1, 2, ()),
        RegionFigures(0.2, 0.9, 0, 0.5, 3, 4, ()),
    ]
    found = set_figures(parts)
    assert (found.precision, found.recall) == pytest.approx((0.6, 0.7))
    assert found.f == pytest.approx(2 * 0.6 * 0.7 / 1.3)
    assert (found.density, found.extracted, found.visible) == (0.75, 4, 6)
    with pytest.raises(ValueError, match="at least one sequence"):
        set_figures([])


@given(LABELS, LABELS, WEIGHTS)
def test_figures_are_shares_and_objects_are_counted(
    regions: NDArray[np.uint8], clusters: NDArray[np.uint8], weights: NDArray[np.float64]
) -> None:
    found = figures_of(regions, clusters, weights)
    assert 0 <= found.precision <= 1
    assert 0 <= found.recall <= 1
    assert found.f == pytest.approx(harmonic_mean(found.precision, found.recall))
    assert found.density == pytest.approx(1)
    assert found.visible == len(np.unique(regions)) - 1
    assert 0 <= found.extracted <= found.visible


@given(LABELS, WEIGHTS, st.permutations(range(4)))
def test_the_truth_under_other_names_is_perfect(
    regions: NDArray[np.uint8], weights: NDArray[np.float64], names: list[int]
) -> None:
    found = figures_of(regions, np.array(names, np.uint8)[regions], weights)
    assert (found.precision, found.recall, found.f) == pytest.approx((1, 1, 1))
    assert found.extracted == found.visible


@given(arrays(np.int64, (3, 4), elements=st.integers(0, 40)))
def test_assignment_has_the_greatest_sum_of_whole_ten_thousandths(
    counts: NDArray[np.int64],
) -> None:
    table = counts + np.eye(3, 4, dtype=np.int64)  # every region is visible
    found = region_figures(table.astype(np.float64), table.sum(axis=1).astype(np.float64), 0.75)
    f = 2 * table / (table.sum(axis=0, keepdims=True) + table.sum(axis=1, keepdims=True))
    best = max(
        sum(np.floor(10_000 * f[row, column] + 1e-9) for row, column in enumerate(columns))
        for columns in itertools.permutations(range(4), 3)
    )
    assert sum(np.floor(10_000 * score.f + 1e-9) for score in found.regions) == pytest.approx(
        best, abs=3
    )
    clusters = [score.cluster for score in found.regions if score.cluster is not None]
    assert len(clusters) == len(set(clusters))


@given(LABELS, LABELS, WEIGHTS)
def test_weights_of_one_size_change_nothing(
    regions: NDArray[np.uint8], clusters: NDArray[np.uint8], weights: NDArray[np.float64]
) -> None:
    once, more = (
        figures_of(regions, clusters, weights),
        figures_of(regions, clusters, 4 * weights),
    )
    assert (once.precision, once.recall) == pytest.approx((more.precision, more.recall))
