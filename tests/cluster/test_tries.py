"""Whether what failed is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.cluster.tries import MOST_LOST_NODES, MOST_TRIES, Tries
from tests.core.telling.happenings import record


def failure(reason="why", error="RuntimeError", transient=True):
    return record(status="failed", reason=reason, error=error, transient=transient)


def test_bad_input_is_never_tried_again():
    assert not Tries().again(failure(transient=False), lost_node=False)


def test_bad_input_is_not_tried_again_after_a_failure_of_another_kind():
    tries = Tries()
    assert tries.again(failure("first"), lost_node=False)
    assert not tries.again(failure("second", transient=False), lost_node=False)


def test_the_same_way_twice_is_final():
    tries = Tries()
    assert tries.again(failure(), lost_node=False)
    assert not tries.again(failure(), lost_node=False)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("worker 17 died", "worker 4 died"),
        ("at 0x7f3a10", "at 0xbeef"),
        ("2 of 30 frames, 1.5 s", "12 of 30 frames, 2.25 s"),
    ],
)
def test_numbers_and_addresses_do_not_make_two_ways(one, two):
    tries = Tries()
    assert tries.again(failure(one), lost_node=False)
    assert not tries.again(failure(two), lost_node=False)


def test_another_class_or_message_is_another_way():
    for second in (failure(error="MemoryError"), failure("another why")):
        tries = Tries()
        assert tries.again(failure(), lost_node=False)
        assert tries.again(second, lost_node=False)


def test_different_ways_are_bounded():
    tries = Tries()
    worth = [tries.again(failure(word), lost_node=False) for word in ("a", "b", "c", "d")]
    assert worth == [n < MOST_TRIES for n in range(1, 5)]


def test_lost_nodes_count_apart_from_other_failures():
    tries = Tries()
    assert all(tries.again(failure("lost"), lost_node=True) for _ in range(MOST_LOST_NODES - 1))
    assert tries.again(failure("lost"), lost_node=False)


def test_lost_nodes_are_bounded():
    tries = Tries()
    worth = [tries.again(failure(), lost_node=True) for _ in range(MOST_LOST_NODES)]
    assert worth == [True] * (MOST_LOST_NODES - 1) + [False]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans(), st.booleans())))
def test_tries_are_bounded_whatever_happens(failures):
    tries, granted = Tries(), 0
    for reason, transient, lost_node in failures:
        if not tries.again(failure(reason, transient=transient), lost_node):
            break
        granted += 1
    assert granted <= MOST_TRIES - 1 + MOST_LOST_NODES - 1
