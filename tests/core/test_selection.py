"""Which frames are worked on, and at which size."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import ConfigError
from moseg.core.selection import EFFICIENT, EVERYTHING, Selection, working_size

SIDES = st.integers(1, 5000)


@given(st.integers(1, 3000), st.integers(2, 300))
def test_indices_are_spread_evenly_over_the_whole_clip(total: int, limit: int) -> None:
    indices = Selection(max_frames=limit).indices(total)
    assert len(indices) == min(total, limit)
    assert (indices[0], indices[-1]) == (0, total - 1)
    gaps = np.diff(indices)
    if len(gaps):
        assert gaps.min() >= 1
        assert gaps.max() - gaps.min() <= 1
    ideal = [Fraction(i * (total - 1), max(1, len(indices) - 1)) for i in range(len(indices))]
    assert all(abs(i - place) <= Fraction(1, 2) for i, place in zip(indices, ideal, strict=True))


def test_small_cases_of_indices() -> None:
    assert EVERYTHING.indices(4) == (0, 1, 2, 3)
    assert EVERYTHING.indices(0) == ()
    assert Selection(max_frames=1).indices(9) == (0,)
    assert Selection(max_frames=2).indices(9) == (0, 8)
    assert Selection(max_frames=3).indices(9) == (0, 4, 8)
    assert Selection(max_frames=3).indices(1) == (0,)


def test_the_efficient_mode_keeps_the_tail() -> None:
    assert EFFICIENT.indices(100) == tuple(range(100))
    assert EFFICIENT.indices(101)[-1] == 100
    assert EFFICIENT.indices(199)[:3] == (0, 2, 4)
    assert len(EFFICIENT.indices(250)) == 100


@given(SIDES, SIDES, SIDES)
def test_size_is_limited_and_keeps_the_aspect(height: int, width: int, limit: int) -> None:
    small = Selection(max_side=limit).size(height, width)
    assert min(small) >= 1
    if max(height, width) <= limit:
        assert small == (height, width)
    else:
        assert max(small) == limit
        scale = Fraction(limit, max(height, width))
        for side, before in zip(small, (height, width), strict=True):
            assert side == max(1, int(before * scale))


def test_the_efficient_mode_s_size() -> None:
    assert EFFICIENT.size(720, 1280) == (562, 1000)
    assert EFFICIENT.size(1920, 1080) == (1000, 562)
    assert EFFICIENT.size(480, 854) == (480, 854)
    assert EVERYTHING.size(4320, 7680) == (4320, 7680)


@pytest.mark.parametrize("limits", [{"max_frames": 0}, {"max_side": -1}])
def test_limits_below_one_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(limits))):
        Selection(**limits)


@given(SIDES, SIDES, st.integers(1, 500_000))
def test_working_size_only_shrinks(height: int, width: int, pixels: int) -> None:
    small_height, small_width = working_size(height, width, pixels)
    assert 1 <= small_height <= height
    assert 1 <= small_width <= width
    if height * width <= pixels:
        assert (small_height, small_width) == (height, width)
    elif min(small_height, small_width) > 20:
        assert small_height * small_width == pytest.approx(pixels, rel=0.06)
        assert small_width / small_height == pytest.approx(width / height, rel=0.06)


def test_working_size_of_davis() -> None:
    assert working_size(480, 854) == (241, 428)
    assert working_size(8, 8) == (8, 8)
