"""Where workers fit: nothing is taken twice, and they are spread."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.cluster.fleet import MOST_ON_CARD, Fleet, Node
from moseg.cluster.kinds import Kind
from tests.cluster.scripted import check_node


def kind(name="depths", cpus=1.0, memory_gb=1.0, gpu_gb=0.0):
    return Kind(name, (name,), cpus, memory_gb, gpu_gb)


NODES = st.lists(
    st.builds(
        Node,
        id=st.sampled_from("abc"),
        host=st.just("host"),
        cpus=st.sampled_from([0, 1, 2, 8, 64]),
        memory_gb=st.sampled_from([2, 16, 256]),
        cards=st.lists(st.sampled_from([11.0, 24.0, 80.0]), max_size=3).map(tuple),
    ),
    max_size=3,
    unique_by=lambda node: node.id,
)
KINDS = st.lists(
    st.builds(
        kind,
        name=st.sampled_from("uvw"),
        cpus=st.sampled_from([0.5, 1, 2, 6]),
        memory_gb=st.sampled_from([0.3, 1, 7]),
        gpu_gb=st.sampled_from([0, 0.7, 3, 10, 11, 37]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda found: found.name,
)


def fill(fleet, kinds):
    """Take places in turn until there is none for any kind."""
    taken, left = [], list(kinds)
    while left:
        for one in list(left):
            place = fleet.take(one)
            if place is None:
                left.remove(one)
            else:
                taken.append((one, place))
    return taken


@settings(max_examples=100, deadline=None)
@given(NODES, KINDS, st.data())
def test_nothing_is_ever_taken_twice(nodes, kinds, data):
    fleet, taken = Fleet(nodes), []
    for _ in range(data.draw(st.integers(1, 30))):
        if taken and data.draw(st.booleans()):
            fleet.give_back(*taken.pop(data.draw(st.integers(0, len(taken) - 1))))
        else:
            one = data.draw(st.sampled_from(kinds))
            place = fleet.take(one)
            if place is not None:
                taken.append((one, place))
        for node in nodes:
            check_node(node, [(k, place) for k, place in taken if place.node == node.id])
            assert all(place.cpus > 0 for _, place in taken)


@settings(max_examples=100, deadline=None)
@given(NODES, KINDS)
def test_what_is_given_back_can_be_taken_again(nodes, kinds):
    fleet = Fleet(nodes)
    first = fill(fleet, kinds)
    for one, place in first:
        fleet.give_back(one, place)
    assert all(fleet.take_again(one, place) for one, place in first)
    assert fill(fleet, kinds) == []


@given(NODES, KINDS)
def test_a_kind_finds_no_place_on_an_empty_fleet_only_if_it_could_not_fit(nodes, kinds):
    for one in kinds:
        assert Fleet(nodes).could_fit(one) == (Fleet(nodes).take(one) is not None)
        full = Fleet(nodes)
        fill(full, kinds)
        assert full.could_fit(one) == Fleet(nodes).could_fit(one)


def test_a_place_that_came_free_is_seen_by_a_kind_that_found_none():
    fleet = Fleet([Node("a", "h", 1, 8)])
    place = fleet.take(kind("u"))
    assert fleet.take(kind("w")) is None
    fleet.give_back(kind("u"), place)
    assert fleet.take(kind("w")) is not None


def test_a_node_that_came_is_seen_by_a_kind_that_found_no_place():
    fleet = Fleet([Node("a", "h", 1, 8)])
    fleet.take(kind())
    assert fleet.take(kind()) is None
    fleet.update([Node("a", "h", 1, 8), Node("b", "h", 1, 8)])
    assert fleet.take(kind()).node == "b"


def test_models_are_spread_over_cards_and_nodes_before_any_card_has_two():
    nodes = [Node(name, "h", 64, 256, (80.0, 80.0)) for name in "ab"]
    fleet = Fleet(nodes)
    places = [fleet.take(kind(gpu_gb=10)) for _ in range(8)]
    assert len({(place.node, place.card) for place in places[:4]}) == 4
    assert set(Counter((place.node, place.card) for place in places).values()) == {2}


def test_another_sort_goes_to_the_emptiest_card():
    fleet = Fleet([Node("a", "h", 64, 256, (80.0, 80.0))])
    large = fleet.take(kind("u", gpu_gb=60))
    assert fleet.take(kind("w", gpu_gb=10)).card != large.card


def test_a_second_of_a_sort_goes_to_a_card_without_one_even_if_that_is_fuller():
    fleet = Fleet([Node("a", "h", 64, 256, (80.0, 80.0))])
    large = fleet.take(kind("u", gpu_gb=60))
    first, second = (fleet.take(kind("w", gpu_gb=10)) for _ in range(2))
    assert (first.card, second.card) == (1 - large.card, large.card)


def test_a_card_has_two_of_a_kind_at_most_however_large_it_is():
    fleet = Fleet([Node("a", "h", 64, 256, (80.0,))])
    taken = [fleet.take(kind(gpu_gb=1)) for _ in range(MOST_ON_CARD + 1)]
    assert taken[MOST_ON_CARD - 1] is not None
    assert taken[MOST_ON_CARD] is None
    assert fleet.take(kind("other", gpu_gb=1)) is not None


def test_shares_are_rounded_up():
    fleet = Fleet([Node("a", "h", 64, 256, (3.0,))])
    place = fleet.take(kind(gpu_gb=1))
    assert place.share == pytest.approx(0.3334)
    assert Fleet([Node("a", "h", 64, 256, (3.0,))]).take(kind(gpu_gb=3)).share == 1.0


def test_workers_on_the_cpu_go_to_the_node_with_most_of_its_cores_free():
    fleet = Fleet([Node("a", "h", 8, 64), Node("b", "h", 4, 64)])
    places = [fleet.take(kind()) for _ in range(12)]
    assert Counter(place.node for place in places[:6]) == {"a": 4, "b": 2}
    assert Counter(place.node for place in places) == {"a": 8, "b": 4}
    assert fleet.take(kind()) is None


def test_a_small_node_makes_do_with_the_cores_it_has():
    fleet = Fleet([Node("a", "h", 2, 64)])
    assert fleet.take(kind(cpus=6)).cpus == 2
    assert fleet.take(kind(cpus=1)) is None


def test_a_node_without_cores_gets_no_worker():
    fleet = Fleet([Node("head", "h", 0, 64, (80.0,))])
    assert fleet.take(kind()) is None
    assert fleet.take(kind(gpu_gb=10)) is None
    assert not fleet.could_fit(kind())


def test_memory_is_not_made_do_with():
    assert Fleet([Node("a", "h", 8, 4)]).take(kind(memory_gb=5)) is None
    assert Fleet([Node("a", "h", 8, 64, (8.0,))]).take(kind(gpu_gb=9)) is None


def test_a_node_that_is_gone_gives_nothing_back():
    fleet = Fleet([Node("a", "h", 1, 8), Node("b", "h", 1, 8)])
    places = [fleet.take(kind()) for _ in range(2)]
    assert fleet.update([Node("b", "h", 1, 8)]) == {"a"}
    assert len(fleet) == 1
    fleet.give_back(kind(), next(place for place in places if place.node == "a"))
    assert fleet.take(kind()) is None


def test_nodes_that_stay_keep_what_was_taken():
    fleet = Fleet([Node("a", "h", 1, 8)])
    fleet.take(kind())
    assert fleet.update([Node("a", "h", 1, 8)]) == set()
    assert fleet.take(kind()) is None


def test_a_place_on_a_certain_node():
    fleet = Fleet([Node("a", "h", 8, 64), Node("b", "h", 1, 8)])
    assert fleet.take_on("b", kind()).node == "b"
    assert fleet.take_on("b", kind()) is None


def test_a_place_is_taken_again_only_while_it_is_free():
    fleet = Fleet([Node("a", "h", 1, 8)])
    place = fleet.take(kind("u"))
    fleet.give_back(kind("u"), place)
    assert fleet.take_again(kind("u"), place)
    assert fleet.take(kind("w")) is None
    fleet.give_back(kind("u"), place)
    fleet.take(kind("w"))
    assert not fleet.take_again(kind("u"), place)
