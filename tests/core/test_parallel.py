"""Threads over frames."""

from __future__ import annotations

import threading
import time

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.parallel import ordered_map, single_threaded_libraries


@given(st.lists(st.integers()), st.integers(1, 4))
def test_order_is_kept(items, threads):
    assert list(ordered_map(lambda x: x * 2, items, threads)) == [x * 2 for x in items]


def test_few_items_are_in_flight_and_the_source_stays_in_one_thread():
    taken, threads = [], set()

    def source():
        for i in range(50):
            threads.add(threading.get_ident())
            taken.append(i)
            yield i

    for i in ordered_map(lambda x: x, source(), 3):
        assert len(taken) <= i + 6
    assert threads == {threading.get_ident()}


def test_work_really_runs_side_by_side():
    barrier = threading.Barrier(2, timeout=5)
    assert list(ordered_map(lambda x: (barrier.wait(), x)[1], range(2), 2)) == [0, 1]


def test_an_error_reaches_the_caller():
    def work(x):
        time.sleep(0.001)
        return 1 // x

    with pytest.raises(ZeroDivisionError):
        list(ordered_map(work, [1, 0, 1], 2))


def test_libraries_use_one_thread_inside_and_as_before_after():
    cv2.setNumThreads(2)
    with single_threaded_libraries():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 2
