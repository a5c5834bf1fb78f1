"""The time of each frame."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.video_times import average_rate, frame_times

STAMPS = st.lists(st.none() | st.integers(-(10**9), 10**12), min_size=1, max_size=40)
RATES = st.none() | st.fractions(Fraction(1, 10), 240, max_denominator=1001)


@given(STAMPS, RATES)
def test_times_start_at_zero_and_rise(stamps: list[int | None], rate: Fraction | None) -> None:
    times = frame_times(stamps, Fraction(1, 90_000), rate)
    assert len(times) == len(stamps)
    assert times[0] == 0
    assert all(second > first for first, second in pairwise(times))
    assert average_rate(times, rate) > 0


@given(st.lists(st.integers(1, 10**6), max_size=40), st.integers(-(10**6), 10**6))
def test_rising_stamps_are_kept(gaps: list[int], start: int) -> None:
    stamps = [start]
    for gap in gaps:
        stamps.append(stamps[-1] + gap)
    times = frame_times(stamps, Fraction(1, 1000), Fraction(25))
    assert times == pytest.approx([(stamp - start) / 1000 for stamp in stamps])


def test_missing_and_repeated_stamps_follow_at_the_average_rate() -> None:
    def times(stamps: list[int | None]) -> tuple[float, ...]:
        return frame_times(stamps, Fraction(1, 100), Fraction(10))

    assert times([None, None, None]) == (0.0, 0.1, 0.2)
    assert times([50, None, 90]) == (0.0, 0.1, 0.4)
    assert times([None, 30, 45]) == (0.0, 0.1, 0.25)
    assert times([0, 10, 10, 30]) == (0.0, 0.1, 0.2, 0.3)
    assert times([0, 10, 5, 40]) == (0.0, 0.1, 0.2, 0.4)
    assert frame_times([None, None], None, None) == (0.0, 0.04)


def test_average_rate() -> None:
    ntsc = Fraction(30000, 1001)
    rounded = tuple(round(i * 1001 / 30) / 1000 for i in range(4))
    assert average_rate(rounded, ntsc) == float(ntsc)
    assert average_rate((0.0, 0.1, 1.0), Fraction(30)) == 2.0
    assert average_rate((0.0, 0.1, 0.2), Fraction(11)) == 10.0
    assert average_rate((0.0, 0.5), None) == 2.0
    assert average_rate((0.0,), Fraction(12)) == 12.0
    assert average_rate((0.0,), None) == 25.0
