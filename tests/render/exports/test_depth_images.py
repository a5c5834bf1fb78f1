"""Disparity as 16-bit grey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.render.exports.depth_images import to_uint16


def test_the_range_is_filled_from_far_to_near() -> None:
    grey = to_uint16(np.array([[0.25, 0.5], [0.75, 0.35]], np.float32))
    assert grey.dtype == np.uint16
    assert grey.tolist()[0] == [0, 32767]
    assert grey[1, 0] == 65535
    assert grey[1, 1] == pytest.approx(0.2 * 65535, abs=1)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 65504.0])
def test_constant_disparity_is_black(value: float) -> None:
    with np.errstate(all="raise"):
        grey = to_uint16(np.full((3, 4), value, np.float32))
    assert (grey == 0).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1, width=16), min_size=2, max_size=20))
def test_the_order_of_depth_is_kept(values: list[float]) -> None:
    disparity = np.array([sorted(values)], np.float32)
    grey = to_uint16(disparity)[0].astype(np.int64)
    assert (np.diff(grey) >= 0).all()
    if disparity.max() > disparity.min():
        assert grey[0] == 0
        assert grey[-1] >= 65534, "float32 may round the largest down"
