"""What the driver tells of a run."""

from __future__ import annotations

import pytest

from moseg.cluster.driver import SLOW_START, WATCH
from tests.cluster.played import FOUR_CORES, ONE_CORE, TWO_STAGES, check_events, fates_of, play
from tests.cluster.scripted import DIE, Fate, ScriptedHands
from tests.cluster.toy_plans import plan_of, scenes_of, toy


def test_how_long_a_stage_waited_for_a_worker_is_recorded():
    plan = plan_of(toy("a"), toy("b"))
    fates = fates_of(s0_a=Fate(10))
    run = play(plan, scenes_of(1), ScriptedHands(plan, [ONE_CORE], fates))
    assert run.record("s0", "a").waited == pytest.approx(0)
    assert run.record("s0", "b").waited == pytest.approx(10)


def test_workers_come_and_go_with_a_word_each():
    hands = ScriptedHands(TWO_STAGES, [ONE_CORE], fates_of(s0_a_1=Fate(1, DIE, "killed")))
    run = play(TWO_STAGES, scenes_of(1), hands)
    told = [(e.stage, e.reason, e.node) for e in run.events.events if e.kind == "worker"]
    assert told == [
        ("cpu", "started", "host-n"),
        ("cpu", "died (killed)", "host-n"),
        ("cpu", "started", "host-n"),
    ]


def test_a_stage_begins_with_who_computes_it_and_why():
    run = play(TWO_STAGES, scenes_of(1), ScriptedHands(TWO_STAGES, [ONE_CORE]))
    start = run.events.of("s0", "a")[0]
    assert (start.kind, start.reason, start.attempt) == ("start", "not made yet", 1)
    assert (start.worker, start.node) == ("host-n:cpu-0", "host-n")


def test_short_calls_are_not_asked_how_far_they_are():
    hands = ScriptedHands(TWO_STAGES, [FOUR_CORES], lambda *_: Fate(0.9 * WATCH))
    run = play(TWO_STAGES, scenes_of(12), hands)
    assert "progress" not in {event.kind for event in run.events.events}


def test_how_far_long_calls_are_is_passed_on():
    fates = fates_of(s0_a=Fate(4 * WATCH))
    run = play(TWO_STAGES, scenes_of(2), ScriptedHands(TWO_STAGES, [FOUR_CORES], fates))
    seen = [e for e in run.events.events if e.kind == "progress"]
    assert {(e.scene, e.stage, e.done, e.total) for e in seen} == {("s0", "a", 1, 2)}
    assert 2 <= len(seen) <= 4
    check_events(run)


@pytest.mark.parametrize(("seconds", "notes"), [(0.9 * SLOW_START, 0), (4 * SLOW_START, 1)])
def test_workers_that_do_not_come_up_are_spoken_of_once(seconds, notes):
    hands = ScriptedHands(TWO_STAGES, [FOUR_CORES], births=lambda kind, number: seconds)
    run = play(TWO_STAGES, scenes_of(4), hands)
    assert len(run.events.notes) == notes
    assert all(note.startswith("cpu: a worker has not started") for note in run.events.notes)
