"""Reading maps and masks at points."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.sampling import bilinear, on_mask


@settings(max_examples=30, deadline=None)
@given(st.floats(-4, 12), st.floats(-4, 9))
def test_samples_of_a_plane_are_exact_and_clamped(x, y):
    rows, columns = np.mgrid[:6, :9].astype(np.float32)
    plane, point = 10 * rows + columns, np.array([[x, y]], np.float32)
    expected = 10 * np.clip(y, 0, 5) + np.clip(x, 0, 8)
    assert np.allclose(bilinear(plane, point), expected, atol=1e-3)
    both = bilinear(np.stack([plane, -plane], axis=-1), point)
    assert np.allclose(both, [[expected, -expected]], atol=1e-3)


def test_a_single_pixel():
    points = np.array([[0, 0], [3, -2]], np.float32)
    assert bilinear(np.array([[7]], np.float32), points).tolist() == [7, 7]


def test_points_take_the_nearest_pixel_and_of_a_half_the_even_one() -> None:
    mask = np.zeros((6, 8), np.bool_)
    mask[2, 4] = True
    xy = np.array([[4, 2], [4.4, 1.6], [3.5, 2.5], [4.5, 1.5], [4.6, 2], [4, 2.6], [2, 4]])
    assert on_mask(xy, mask).tolist() == [True] * 4 + [False] * 3


def test_points_at_the_border_are_inside_and_beyond_it_still() -> None:
    mask = np.ones((6, 8), np.bool_)
    inside = np.array([[0, 0], [7, 5], [7.9, 5.9], [7.5, 0]])
    outside = np.array([[-0.1, 2], [2, -0.1], [8, 2], [2, 6], [-3, -3], [100, 100]])
    assert on_mask(inside, mask).all()
    assert not on_mask(outside, mask).any()
    assert on_mask(np.zeros((0, 2)), mask).shape == (0,)
