"""Who is hired, and which kinds are given up."""

from __future__ import annotations

import pytest

from moseg.cluster.crew import LONGEST_WAIT, MOST_FAILED_STARTS
from moseg.cluster.fleet import Node
from moseg.cluster.kinds import Kind
from tests.cluster.crews import (
    CALL,
    CPU,
    DEPTHS,
    LARGE,
    SMALL,
    all_up,
    crew_of,
    fill,
    lose,
    numbers,
)


@pytest.mark.parametrize(("waiting", "hired"), [(0, 0), (1, 1), (3, 3), (50, 8)])
def test_no_more_are_hired_than_calls_wait_for_or_fit(waiting, hired):
    crew, _ = crew_of(CPU, nodes=[Node("n", "h", 8, 64)])
    crew.hire({"cpu": waiting}, 0.0)
    assert numbers(crew)["cpu"] == hired


def test_no_more_are_hired_than_are_allowed():
    crew, _ = crew_of(CPU, nodes=[Node("n", "h", 8, 64)], most={"cpu": 3})
    fill(crew, cpu=50)
    fill(crew, cpu=50)
    assert numbers(crew) == {"cpu": 3}


def test_who_is_starting_or_free_counts_and_who_is_at_work_does_not():
    crew, _ = crew_of(CPU, nodes=[Node("n", "h", 8, 64)])
    crew.hire({"cpu": 2}, 0.0)
    crew.hire({"cpu": 2}, 0.0)
    assert numbers(crew)["cpu"] == 2
    all_up(crew)
    crew.hire({"cpu": 2}, 0.0)
    assert numbers(crew)["cpu"] == 2
    crew.at_work(crew.free("cpu"), CALL, 0.0)
    crew.hire({"cpu": 2}, 0.0)
    assert numbers(crew)["cpu"] == 3


def test_what_is_missing_is_wished_for():
    crew, hands = crew_of(CPU)
    crew.hire({"cpu": 5}, 0.0)
    assert hands.wishes == {CPU: 3}
    crew.hire({"cpu": 0}, 0.0)
    assert hands.wishes == {}


def test_only_who_is_up_and_has_no_call_is_free():
    crew, _ = crew_of(CPU)
    crew.hire({"cpu": 1}, 0.0)
    assert crew.free("cpu") is None
    all_up(crew)
    member = crew.free("cpu")
    crew.at_work(member, CALL, 5.0)
    assert crew.free("cpu") is None
    assert (member.call, member.since) == (CALL, 5.0)
    crew.through(member, 6.0)
    assert crew.free("cpu") is member
    assert (member.call, member.since) == (None, 6.0)


def test_who_was_at_work_last_is_asked_first():
    crew, _ = crew_of(CPU)
    fill(crew, cpu=2)
    first = crew.free("cpu")
    crew.at_work(first, CALL, 0.0)
    other = crew.free("cpu")
    crew.at_work(other, CALL, 0.0)
    crew.through(first, 1.0)
    crew.through(other, 2.0)
    assert crew.free("cpu") is other


def test_who_is_gone_leaves_its_place_to_others():
    crew, hands = crew_of(CPU)
    fill(crew, cpu=2)
    lose(crew, hands, "cpu-0")
    crew.dismiss(crew.members["cpu-1"])
    assert crew.free("cpu") is None
    assert not crew.has("cpu")
    crew.hire({"cpu": 2}, 0.0)
    assert numbers(crew) == {"cpu": 2}


def lose_starting(crew, hands, times, lost_node=False):
    for _ in range(times):
        crew.hire({"cpu": 1}, 0.0)
        starting = next(m for m in crew.members.values() if not m.process)
        lose(crew, hands, starting.id, "no such file", lost_node)


def test_a_kind_that_never_comes_up_is_given_up():
    crew, hands = crew_of(CPU)
    lose_starting(crew, hands, MOST_FAILED_STARTS - 1)
    assert crew.hopeless == {}
    lose_starting(crew, hands, 1)
    assert "no such file" in crew.hopeless["cpu"]
    crew.hire({"cpu": 4}, 0.0)
    assert crew.members == {}


def test_only_starts_that_fail_in_a_row_count():
    crew, hands = crew_of(CPU)
    lose_starting(crew, hands, MOST_FAILED_STARTS - 1)
    fill(crew, cpu=1)
    lose(crew, hands, next(iter(crew.members)))
    lose_starting(crew, hands, MOST_FAILED_STARTS - 1)
    assert crew.hopeless == {}


def test_a_node_that_is_lost_is_no_failed_start():
    crew, hands = crew_of(CPU)
    lose_starting(crew, hands, MOST_FAILED_STARTS + 1, lost_node=True)
    assert crew.hopeless == {}


@pytest.mark.parametrize("started", [True, False])
def test_a_node_that_lost_a_worker_gets_others_last(started):
    crew, hands = crew_of(CPU, nodes=[Node("a", "h", 8, 64), Node("b", "h", 2, 64)])
    crew.hire({"cpu": 1}, 0.0)
    assert crew.members["cpu-0"].place.node == "a"
    if started:
        all_up(crew)
    lose(crew, hands, "cpu-0", lost_node=True)
    crew.hire({"cpu": 1}, 0.0)
    assert crew.members["cpu-1"].place.node == "b"


def test_a_worker_that_comes_up_after_all_gives_hope_again():
    crew, hands = crew_of(CPU, nodes=[Node("n", "h", 8, 64)])
    crew.hire({"cpu": MOST_FAILED_STARTS + 1}, 0.0)
    for number in range(MOST_FAILED_STARTS):
        lose(crew, hands, f"cpu-{number}")
    assert "cpu" in crew.hopeless
    all_up(crew)
    assert crew.hopeless == {}


def test_a_kind_that_fits_nowhere_is_given_up_at_once_where_no_node_can_come():
    crew, _ = crew_of(Kind("big", ("big",), 1, 640), nodes=[SMALL])
    crew.hire({"big": 1}, 0.0)
    assert "640 GB of memory" in crew.hopeless["big"]


def test_the_memory_of_a_card_is_told_where_it_is_missing():
    crew, _ = crew_of(DEPTHS, nodes=[SMALL])
    crew.hire({"depths": 1}, 0.0)
    assert "30 GB on one GPU" in crew.hopeless["depths"]


def test_a_kind_that_nothing_waits_for_is_not_given_up():
    crew, _ = crew_of(Kind("big", ("big",), 1, 640), nodes=[SMALL])
    crew.hire({"big": 0}, 0.0)
    assert crew.hopeless == {}


@pytest.mark.parametrize(("nodes", "grows"), [([SMALL], True), ([], True), ([], False)])
def test_a_node_that_may_still_come_is_waited_for(nodes, grows):
    crew, _ = crew_of(Kind("big", ("big",), 1, 640), nodes=nodes, grows=grows)
    for now in (0.0, 10.0, LONGEST_WAIT):
        crew.hire({"big": 1}, now)
        assert crew.hopeless == {}
    crew.hire({"big": 1}, LONGEST_WAIT + 1)
    assert "big" in crew.hopeless


def test_the_wait_for_a_node_begins_anew_once_there_was_one():
    crew, hands = crew_of(CPU, nodes=[], grows=True)
    crew.hire({"cpu": 1}, 0.0)
    hands.there = {SMALL.id: SMALL}
    crew.look()
    fill(crew, now=100.0, cpu=1)
    hands.there = {}
    for member in crew.look():
        crew.lose(member.id, "its node was lost", lost_node=True)
    crew.hire({"cpu": 1}, LONGEST_WAIT + 50)
    assert crew.hopeless == {}


def test_a_full_cluster_is_no_reason_to_give_up():
    crew, _ = crew_of(CPU, LARGE)
    fill(crew, cpu=2)
    for member in list(crew.members.values()):
        crew.at_work(member, CALL, 0.0)
    crew.hire({"large": 1}, 0.0)
    crew.hire({"large": 1}, 10 * LONGEST_WAIT)
    assert crew.hopeless == {}


def test_a_look_tells_whose_node_is_gone():
    crew, hands = crew_of(CPU, nodes=[Node("a", "h", 1, 8), Node("b", "h", 1, 8)])
    fill(crew, cpu=2)
    del hands.there["a"]
    assert [member.place.node for member in crew.look()] == ["a"]
