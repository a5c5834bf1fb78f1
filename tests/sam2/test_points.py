"""Points of a group, against their definitions."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from moseg.sam2.points import centre_and_ends, dilated, inside, medoid

places = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 30), st.just(2)),
    elements=st.floats(-50, 2000, width=32),
)


@given(points=places)
def test_the_medoid_has_the_smallest_sum_of_distances(points):
    sums = [np.hypot(*(points - one).T.astype(np.float64)).sum() for one in points]
    assert sums[medoid(points)] <= min(sums) * (1 + 1e-6)


def test_of_equal_sums_the_first_is_the_medoid():
    square = np.array([[4, 0], [0, 0], [0, 4], [4, 4]], np.float32)
    assert medoid(square) == 0
    assert medoid(np.concatenate([[[9, 9]], square]).astype(np.float32)) == 4


def test_the_medoid_of_many_points_takes_little_memory():
    points = np.random.default_rng(0).uniform(0, 500, (2000, 2)).astype(np.float32)
    points[1777] = points.mean(axis=0)
    tracemalloc.start()
    found = medoid(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6  # all distances at once are 32 MB
    sums = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)).sum(axis=1)
    assert found == int(sums.argmin())


@given(points=places)
def test_the_centre_is_nearest_to_the_centroid_and_the_ends_farthest(points):
    chosen = centre_and_ends(points)
    distances = np.hypot(*(points - points.mean(axis=0)).T)
    slack = 1e-3
    assert len(chosen) == min(3, max(2, len(points)))
    assert distances[chosen[0]] <= distances.min() + slack
    others = np.sort(np.delete(distances, chosen[0]))[-2:]
    if len(points) > 1:
        np.testing.assert_allclose(distances[chosen[1:]], others, atol=slack)
        assert len(set(chosen.tolist())) == len(chosen)


def test_few_points_are_all_clicked():
    assert centre_and_ends(np.array([[5, 6]], np.float32)).tolist() == [0, 0]
    assert centre_and_ends(np.array([[0, 0], [8, 0]], np.float32)).tolist() == [0, 1]
    three = np.array([[0, 0], [9, 0], [4, 0]], np.float32)
    assert centre_and_ends(three).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("x", "y", "held"),
    [(3.99, 1.99, True), (4.0, 1.0, False), (-0.9, 1, False), (3, -7, True), (2.99, 0, False)],
)
def test_points_are_truncated_and_taken_into_the_image(x, y, held):
    mask = np.zeros((5, 8), bool)
    mask[:2, 3] = True
    assert inside(mask, np.array([[x, y]], np.float32)).tolist() == [held]


def test_points_beyond_the_far_edges_count_there():
    mask = np.zeros((5, 8), bool)
    mask[4, 7] = True
    points = np.array([[7.5, 99], [1e6, 4], [6.9, 4]], np.float32)
    assert inside(mask, points).tolist() == [True, True, False]
    assert inside(mask, np.zeros((0, 2), np.float32)).shape == (0,)


def test_masks_grow_by_three_squares_with_an_even_side():
    mask = np.zeros((60, 60), bool)
    mask[30, 20] = True
    rows, columns = np.nonzero(dilated(mask))
    # An anchor at (3, 3) of 6 looks 3 pixels back and 2 ahead: growth is 3 x 2 up, 3 x 3 down.
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (24, 39, 14, 29)
    assert len(rows) == 16 * 16
