"""The learning rate, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.training.config import ScheduleParams
from moseg.training.schedule import rate_factor


def test_it_rises_in_a_line_and_then_stays():
    params = ScheduleParams(kind="constant", warmup=3)
    assert [rate_factor(params, step, 6) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_a_cosine_is_at_half_in_the_middle_and_ends_near_its_last_share():
    params = ScheduleParams(kind="cosine", warmup=2, final=0.1)
    assert rate_factor(params, 2, 102) == 1
    assert rate_factor(params, 52, 102) == pytest.approx(0.55)
    assert rate_factor(params, 101, 102) == pytest.approx(0.1, abs=1e-3)


@given(st.integers(1, 300), st.data())
def test_a_cosine_never_rises_after_the_warm_up(steps, data):
    warmup = data.draw(st.integers(0, steps - 1))
    params = ScheduleParams(kind="cosine", warmup=warmup, final=data.draw(st.floats(0, 1)))
    factors = [rate_factor(params, step, steps) for step in range(steps)]
    assert all(0 < factor <= 1 + 1e-12 for factor in factors[: warmup + 1])
    falling = factors[warmup:]
    assert falling == sorted(falling, reverse=True)
