"""Who is hired, who has to make room, and which kinds are given up."""

from __future__ import annotations

from collections import Counter

import pytest

from moseg.cluster.crew import GRACE, LONGEST_WAIT, MOST_FAILED_STARTS, PAUSE, Crew
from moseg.cluster.fleet import Node
from moseg.cluster.kinds import Kind
from moseg.cluster.schedule import Call
from tests.cluster.scripted import ScriptedHands, check_node, plan_of, toy

CPU = Kind("cpu", ("resolve",), 1, 1)
DEPTHS = Kind("depths", ("depths",), 1, 1, 30)
TRACKS = Kind("tracks", ("tracks",), 1, 1, 30)
LARGE = Kind("large", ("large",), 4, 1)
SMALL = Node("n", "h", 2, 64)
CALL = Call(0, 0, 0.0)


def crew_of(*kinds, nodes=(SMALL,), grows=False, most=None):
    hands = ScriptedHands(plan_of(toy("a")), nodes, grows=grows)
    crew = Crew(kinds, hands, most or {})
    crew.look()
    return crew, hands


def numbers(crew):
    return Counter(member.kind.name for member in crew.members.values())


def all_up(crew, now=0.0):
    for member in list(crew.members.values()):
        if not member.process:
            crew.ready(member.id, f"h:{member.id}", now)


def lose(crew, hands, worker, cause="why", lost_node=False):
    del hands.workers[worker]
    crew.lose(worker, cause, lost_node)


def fill(crew, now=0.0, **waiting):
    """Hire for calls that wait, and let all come up."""
    crew.hire(waiting, now)
    all_up(crew, now)


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


def test_each_sort_gets_a_place_on_a_card_before_any_has_two():
    crew, _ = crew_of(DEPTHS, TRACKS, nodes=[Node("n", "h", 8, 64, (60.0,))])
    crew.hire({"depths": 5}, 0.0)
    assert numbers(crew) == {"depths": 1}
    crew.hire({"depths": 5, "tracks": 5}, 0.0)
    assert numbers(crew) == {"depths": 1, "tracks": 1}


def test_cores_are_kept_for_networks_on_a_gpu():
    crew, _ = crew_of(CPU, DEPTHS, nodes=[Node("n", "h", 3, 64, (60.0,))])
    crew.hire({"cpu": 9}, 0.0)
    assert numbers(crew) == {"cpu": 2}
    crew.hire({"cpu": 9, "depths": 1}, 0.0)
    assert numbers(crew) == {"cpu": 2, "depths": 1}


def test_what_is_kept_gives_way_to_a_kind_that_has_no_worker_at_all():
    crew, _ = crew_of(CPU, DEPTHS, nodes=[Node("n", "h", 1, 64, (60.0,))])
    crew.hire({"cpu": 4}, 0.0)
    assert numbers(crew) == {"cpu": 1}


def test_a_place_that_is_kept_goes_with_its_node():
    one, two = (Node(name, "h", 1, 64, (60.0,)) for name in "ab")
    crew, hands = crew_of(DEPTHS, nodes=[one])
    hands.there = {"b": two}
    crew.look()
    crew.hire({"depths": 1}, 0.0)
    assert [member.place.node for member in crew.members.values()] == ["b"]


def test_idle_workers_make_room_only_after_their_grace():
    crew, hands = crew_of(CPU, LARGE)
    fill(crew, cpu=2)
    crew.hire({"large": 1}, GRACE - 0.01)
    assert numbers(crew) == {"cpu": 2}
    assert hands.stopped == []
    crew.hire({"large": 1}, GRACE + PAUSE)
    assert numbers(crew) == {"large": 1}
    assert len(hands.stopped) == 2


@pytest.mark.parametrize("reason", ["at work", "waited for", "starting"])
def test_who_is_needed_makes_no_room(reason):
    crew, hands = crew_of(CPU, LARGE)
    crew.hire({"cpu": 2}, 0.0)
    if reason != "starting":
        all_up(crew)
    if reason == "at work":
        crew.at_work(crew.free("cpu"), CALL, 0.0)
    crew.hire({"large": 1, "cpu": int(reason == "waited for")}, 100.0)
    assert numbers(crew) == {"cpu": 2}
    assert hands.stopped == []


def test_no_more_than_needed_make_room_and_those_idle_longest_go_first():
    crew, hands = crew_of(CPU, LARGE, nodes=[Node("n", "h", 8, 64)])
    fill(crew, cpu=8)
    for now, name in enumerate(sorted(crew.members)):
        crew.members[name].since = float(now)
    crew.hire({"large": 1}, 100.0)
    assert numbers(crew) == {"cpu": 4, "large": 1}
    assert sorted(hands.stopped) == [f"cpu-{n}" for n in range(4)]


def test_who_does_not_help_by_going_stays():
    nodes = [Node("n", "h", 8, 64, (60.0, 60.0))]
    huge = Kind("huge", ("huge",), 1, 1, 60)
    crew, hands = crew_of(DEPTHS, TRACKS, huge, nodes=nodes)
    fill(crew, depths=1)
    fill(crew, tracks=1)
    assert {m.place.card for m in crew.members.values()} == {0, 1}
    fill(crew, now=50.0, huge=1)
    assert len(hands.stopped) == 1
    assert sum(numbers(crew).values()) == 2
    places = [(member.kind, member.place) for member in crew.members.values()]
    check_node(nodes[0], places)


def test_of_two_of_whom_one_can_stay_the_one_idle_longer_goes():
    three, four = (Kind(f"w{n}", (f"w{n}",), n, 1) for n in (3, 4))
    crew, hands = crew_of(CPU, three, four, nodes=[Node("n", "h", 5, 64)])
    fill(crew, now=0.0, cpu=1)
    fill(crew, now=1.0, cpu=2)
    fill(crew, now=2.0, w3=1)
    crew.hire({"w4": 1}, 100.0)
    assert numbers(crew) == {"cpu": 1, "w4": 1}
    assert sorted(hands.stopped) == ["cpu-0", "w3-0"]


def test_nobody_goes_in_vain():
    crew, hands = crew_of(CPU, Kind("other", ("other",), 1, 60), nodes=[Node("n", "h", 2, 61)])
    crew.hire({"other": 1}, 0.0)
    all_up(crew)
    crew.at_work(crew.free("other"), CALL, 0.0)
    fill(crew, cpu=1)
    crew.hire({"other": 1}, 100.0)
    assert hands.stopped == []
    assert numbers(crew) == {"cpu": 1, "other": 1}


def test_workers_of_several_nodes_do_not_make_room_together():
    crew, hands = crew_of(CPU, LARGE, nodes=[Node("a", "h", 4, 64), Node("b", "h", 4, 64)])
    fill(crew, cpu=8)
    busy = next(m for m in crew.members.values() if m.place.node == "a")
    crew._free["cpu"].pop(busy.id)
    busy.call = CALL
    crew.hire({"large": 1}, 100.0)
    assert all(m.place.node == "b" for m in crew.members.values() if m.kind is LARGE)
    assert numbers(crew) == {"cpu": 4, "large": 1}
    assert busy.id not in hands.stopped


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
