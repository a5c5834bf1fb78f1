"""Reading maps between their pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.sampling import bilinear


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
