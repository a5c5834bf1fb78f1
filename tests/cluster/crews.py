"""Crews on scripted clusters."""

from __future__ import annotations

from collections import Counter

from moseg.cluster.crew import Crew
from moseg.cluster.fleet import Node
from moseg.cluster.kinds import Kind
from moseg.cluster.schedule import Call
from tests.cluster.scripted import ScriptedHands
from tests.cluster.toy_plans import plan_of, toy

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
