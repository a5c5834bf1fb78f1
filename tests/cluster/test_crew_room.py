"""Room for workers: what is kept on cards, and who has to go for others."""

from __future__ import annotations

import pytest

from moseg.cluster.crew import GRACE, PAUSE
from moseg.cluster.fleet import Node
from moseg.cluster.kinds import Kind
from tests.cluster.crews import CALL, CPU, DEPTHS, LARGE, TRACKS, all_up, crew_of, fill, numbers
from tests.cluster.scripted import check_node


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
