"""The driver where calls fail and workers and nodes are lost: what is tried again."""

from __future__ import annotations

from collections import Counter

import pytest

from moseg.cluster.driver import RETRY_DELAY, Driver
from moseg.cluster.fleet import Node
from moseg.cluster.hands import Died
from moseg.cluster.kinds import RESOLVE
from moseg.cluster.schedule import Resolution
from moseg.cluster.tries import MOST_LOST_NODES, MOST_TRIES
from moseg.core.claims import ClaimedScenes, Claims
from moseg.core.device import CPU
from moseg.core.execute import Workbench, kept_record
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.resolve import Step, resolve
from tests.cluster.played import FOUR_CORES, ONE_CORE, TWO_STAGES, check_events, fates_of, play
from tests.cluster.scripted import BAD, DIE, GOOD, SICK, Fate, ScriptedHands
from tests.cluster.toy_plans import scenes_of
from tests.core.recorder import Recorder
from tests.core.test_local import make_plan, make_scenes, tree


@pytest.mark.parametrize("stage", [RESOLVE, "a", "b"])
def test_bad_input_is_tried_once_and_costs_its_scene_alone(stage):
    hands = ScriptedHands(TWO_STAGES, [FOUR_CORES], fates_of(**{f"s1_{stage}": Fate(1, BAD)}))
    run = play(TWO_STAGES, scenes_of(4), hands)
    assert [name for name, result in run.results.items() if result.failure] == ["s1"]
    assert Counter(hands.given)["s1", stage] == 1
    assert run.results["s1"].failure.attempts == 1
    assert hands.hired["cpu"] <= 4, "a worker that was given bad input is kept"
    check_events(run)


@pytest.mark.parametrize("stage", [RESOLVE, "a", "b"])
@pytest.mark.parametrize("ends", [SICK, DIE])
def test_what_fails_twice_the_same_way_costs_its_scene_alone(stage, ends):
    hands = ScriptedHands(TWO_STAGES, [FOUR_CORES], fates_of(**{f"s1_{stage}": Fate(1, ends)}))
    run = play(TWO_STAGES, scenes_of(6), hands)
    assert [name for name, result in run.results.items() if result.failure] == ["s1"]
    assert Counter(hands.given)["s1", stage] == 2
    assert max(n for name, n in Counter(hands.given).items() if name[0] != "s1") == 1
    failure = run.results["s1"].failure
    assert failure.attempts == 2
    assert failure.error == ("WorkerDied" if ends == DIE else "RuntimeError")
    assert "why" in failure.reason
    check_events(run)


@pytest.mark.parametrize("ends", [SICK, DIE])
def test_another_try_is_made_by_another_worker_and_later(ends):
    hands = ScriptedHands(TWO_STAGES, [ONE_CORE], fates_of(s0_a_1=Fate(1, ends)))
    run = play(TWO_STAGES, scenes_of(1), hands)
    assert run.statuses("s0") == ["done", "done"]
    first, second = hands.by["s0", "a"]
    assert first != second
    assert [e.kind for e in run.events.of("s0", "a")] == ["start", "retry", "start", "end"]
    assert (run.record("s0", "a").attempts, run.record("s0", "b").attempts) == (2, 1)


def test_a_worker_that_failed_for_no_fault_of_the_input_is_ended():
    hands = ScriptedHands(TWO_STAGES, [ONE_CORE], fates_of(s0_a_1=Fate(1, SICK)))
    play(TWO_STAGES, scenes_of(3), hands)
    assert hands.stopped[0] == hands.by["s0", "a"][0]
    assert hands.hired["cpu"] == 2


def test_different_ways_of_failing_are_tried_three_times():
    fates = {f"s0_a_{n}": Fate(1, SICK, why) for n, why in enumerate("uvwx", 1)}
    run = play(TWO_STAGES, scenes_of(1), ScriptedHands(TWO_STAGES, [ONE_CORE], fates_of(**fates)))
    assert run.results["s0"].failure.attempts == MOST_TRIES
    assert run.statuses("s0") == ["failed", "skipped"]


def test_another_try_begins_after_a_delay():
    times = {}

    def fate(scene, stage, attempt):
        times[stage, attempt] = hands.clock.now
        return Fate(1, SICK) if (stage, attempt) == ("a", 1) else GOOD

    hands = ScriptedHands(TWO_STAGES, [FOUR_CORES], fate, births=lambda kind, number: 0.0)
    play(TWO_STAGES, scenes_of(1), hands)
    assert times["a", 2] - times["a", 1] >= 1 + RETRY_DELAY


@pytest.mark.parametrize("told", [True, False])
def test_a_lost_node_costs_no_scene(told):
    nodes = [Node("n", "h", 2, 64), Node("x", "h", 2, 64)]
    hands = ScriptedHands(TWO_STAGES, nodes, lambda *_: Fate(5))
    hands.node_goes(6, "x", told)
    run = play(TWO_STAGES, scenes_of(6), hands)
    assert all(run.statuses(name) == ["done", "done"] for name in run.results)
    retries = [event for event in run.events.events if event.kind == "retry"]
    assert len(retries) == 2
    assert "node was lost" in retries[0].reason or "gone" in retries[0].reason
    check_events(run)


def test_nodes_lost_while_workers_start_are_no_reason_to_give_up():
    nodes = [Node("n", "h", 1, 64), Node("x", "h", 8, 64)]
    hands = ScriptedHands(TWO_STAGES, nodes)
    hands.node_goes(1, "x", told=True)
    run = play(TWO_STAGES, scenes_of(12), hands)
    assert all(run.statuses(name) == ["done", "done"] for name in run.results)
    assert hands.hired["cpu"] < 15, "workers are started on a node that is known to be gone"


@pytest.mark.parametrize("told", [True, False])
def test_nodes_lost_again_and_again_end_a_scene(told):
    hands = ScriptedHands(TWO_STAGES, [], lambda s, stage, n: Fate(5 if stage == "a" else 0))
    hands.grows = True
    for n in range(20):
        hands.node_comes(10.0 * n, Node(f"x{n}", "h", 1, 64))
        hands.node_goes(10.0 * n + 6, f"x{n}", told)
    failure = play(TWO_STAGES, scenes_of(1), hands).results["s0"].failure
    assert (failure.error, failure.attempts) == ("NodeLost", MOST_LOST_NODES)


def test_a_late_report_of_a_worker_that_was_ended_is_ignored():
    class Late(ScriptedHands):
        def stop(self, worker):
            super().stop(worker)
            self.later(0.5, lambda: [self.last_word(worker)])

        def last_word(self, worker):
            return Died(worker, "late")

    hands = Late(TWO_STAGES, [ONE_CORE], fates_of(s0_a_1=Fate(1, SICK)))
    assert play(TWO_STAGES, scenes_of(2), hands).statuses("s0") == ["done", "done"]


class Computing(ScriptedHands):
    """Workers that compute for real, in this process."""

    def _answer_of(self, worker, task, fate):
        if fate.ends != "done":
            return super()._answer_of(worker, task, fate)
        if isinstance(task, Step):
            return Workbench(self._plan.backends, CPU).run(task)
        steps = resolve(self._plan, *task)
        return Resolution(
            tuple(step for step in steps if step.must_run),
            tuple(kept_record(step) for step in steps if not step.must_run),
        )


def drive(cache, scenes, fates=lambda *_: GOOD):
    plan, events = make_plan(cache), Recorder()
    hands = Computing(plan, [FOUR_CORES], fates)
    with Claims(cache) as claims:
        queue = ClaimedScenes(scenes, claims, events)
        results = list(Driver(plan, hands, queue, events, None, hands.clock).run())
    return {result.scene.name: result for result in results}


def test_a_troubled_run_leaves_what_a_local_one_leaves(tmp_path):
    scenes = make_scenes(tmp_path / "in", a="1", b="bad", c="3", d="4")
    fates = fates_of(a_count_1=Fate(1, DIE), c_double_1=Fate(2, SICK), d_resolve_1=Fate(1, DIE))
    results = drive(tmp_path / "ray", scenes, fates)
    LocalRunner().run(make_plan(tmp_path / "local"), scenes, Silent())
    assert tree(tmp_path / "ray") == tree(tmp_path / "local")
    assert [name for name, result in results.items() if result.failure] == ["b"]
    again = drive(tmp_path / "ray", scenes)
    assert sorted(name for name, result in again.items() if result.reused) == ["a", "c", "d"]
    assert again["b"].failure.reason == "b: not a number; write one"
