"""What is told of a worker that is gone, from what Ray raises."""

from __future__ import annotations

import pytest

pytest.importorskip("ray")

from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    ActorUnschedulableError,
    OutOfMemoryError,
    RayTaskError,
)

from moseg.cluster import ray_hands
from moseg.cluster.fleet import Place

LOST = ("its node was lost", True)
UNAVAILABLE = ActorUnavailableError("socket closed", None)


@pytest.fixture
def cause(monkeypatch):
    """What is told of an error of a worker on node `n`, which is there or not."""

    def tell(error, node_alive=True, started=True):
        nodes = [{"NodeID": "n", "Alive": node_alive}, {"NodeID": "other", "Alive": True}]
        monkeypatch.setattr(ray_hands.ray, "nodes", lambda: nodes)
        actor = ray_hands._Actor(None, Place("n", 1), None, started=started)
        return ray_hands._cause(error, actor)

    return tell


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("error", [ActorDiedError(), UNAVAILABLE, ActorUnschedulableError("")])
def test_a_worker_whose_node_is_gone_went_with_it(cause, error, started):
    assert cause(error, node_alive=False, started=started) == LOST


@pytest.mark.parametrize("started", [True, False])
def test_a_node_that_does_not_answer_is_lost_before_ray_gives_it_up(cause, started):
    assert cause(UNAVAILABLE, started=started) == LOST


def test_a_worker_that_dies_alone_is_no_lost_node(cause):
    assert cause(ActorDiedError()) == (
        "its process ended, often since the machine ran out of memory", False,
    )  # fmt: skip


def test_a_worker_that_does_not_come_up_is_told_with_the_reason(cause):
    words, lost_node = cause(ActorDiedError(), started=False)
    assert words.startswith("it does not start: The actor died unexpectedly")
    assert not lost_node


@pytest.mark.parametrize("node_alive", [True, False])
def test_memory_and_what_a_worker_raises_are_not_the_nodes_fault(cause, node_alive):
    words, lost_node = cause(OutOfMemoryError("too much"), node_alive)
    assert ("memory" in words, lost_node) == (True, False)
    raised = RayTaskError("hello", "a long\ntrace", ImportError("no module\nat all"))
    assert cause(raised, node_alive) == ("it cannot run: no module", False)
