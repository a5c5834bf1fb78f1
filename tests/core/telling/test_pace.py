from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.telling.pace import Pace


def steady(every, number, running=1, frames=50, begin=1000.0):
    """A pace after `number` scenes, one each `every` seconds, and the time then."""
    pace, now = Pace(begin), begin
    for _ in range(number):
        now += every
        pace.add(now, frames, running)
    return pace, now


def test_nothing_is_known_before_a_scene_is_over():
    pace = Pace(1000.0)
    assert pace.frames_per_second(1020.0, 1) is None
    assert pace.seconds_left(1020.0, 1, 5) is None


def test_scenes_at_an_even_pace():
    pace, now = steady(every=10.0, number=6)
    assert pace.frames_per_second(now, 1) == pytest.approx(5.0)
    assert pace.seconds_left(now, 1, 3) == pytest.approx(40.0)


def test_time_left_runs_down_between_two_scenes():
    pace, now = steady(every=10.0, number=6)
    assert pace.seconds_left(now + 4.0, 1, 3) == pytest.approx(36.0)


def test_a_scene_that_is_overdue_slows_the_pace_and_what_waits_stays():
    pace, now = steady(every=10.0, number=4)
    assert pace.frames_per_second(now + 60.0, 1) == pytest.approx(4 * 50 / (4 * 20.0))
    assert pace.seconds_left(now + 60.0, 1, 3) == pytest.approx(3 * 20.0)


def test_time_left_is_not_told_by_the_first_of_many_that_run():
    pace, now = steady(every=1.0, number=9, running=10)
    assert pace.seconds_left(now, 10, 100) is None
    pace.add(now + 1.0, 50, 10)
    assert pace.seconds_left(now + 1.0, 10, 100) == pytest.approx(110.0)


def test_no_time_is_left_when_no_scene_is():
    pace, now = steady(every=10.0, number=6)
    assert pace.seconds_left(now, 0, 0) is None


def test_scenes_of_long_ago_no_longer_count():
    pace, now = steady(every=20.0, number=100)
    for _ in range(200):
        now += 2.0
        pace.add(now, 50, 1)
    assert pace.frames_per_second(now, 1) == pytest.approx(25.0, rel=0.01)


def test_scenes_that_take_longer_than_the_window_count_all_the_same():
    pace, now = Pace(0.0), 0.0
    for took in (400.0, 2000.0) * 25:
        now += took
        pace.add(now, 50, 1)
    assert pace.frames_per_second(now, 1) == pytest.approx(50 / 1200)
    assert pace.seconds_left(now, 1, 9) == pytest.approx(12000.0)


def test_workers_that_finish_all_at_once_have_a_pace_between_two_such_moments():
    pace = Pace(0.0)
    for wave in (1200.0, 2400.0):
        for _ in range(100):
            pace.add(wave, 60, 100)
    assert pace.frames_per_second(3000.0, 100) == pytest.approx(100 * 60 / 1200)
    assert pace.seconds_left(3000.0, 100, 100) == pytest.approx(1800.0)
    pace.add(2800.0, 60, 100)  # the first of the next
    assert pace.frames_per_second(2800.0, 100) == pytest.approx(200 * 60 / 1600)


@given(
    st.lists(st.floats(0.0, 5000.0), min_size=1, max_size=60),
    st.integers(0, 40),
    st.integers(0, 40),
    st.floats(0.0, 5000.0),
)
def test_what_is_told_is_never_negative(gaps, running, waiting, later):
    pace, now = Pace(0.0), 0.0
    for gap in gaps:
        now += gap
        pace.add(now, 30, running)
    assert (pace.frames_per_second(now + later, running) or 0.0) >= 0.0
    assert (pace.seconds_left(now + later, running, waiting) or 0.0) >= 0.0
