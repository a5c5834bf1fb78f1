"""Which calls can be given out, in which order, and what a scene's result is."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.cluster.kinds import CPU_WORKERS, kinds_of
from moseg.cluster.schedule import Schedule
from moseg.core.claims import Claim
from moseg.core.execute import StageRecord
from tests.cluster.scripted import names_of
from tests.cluster.toy_plans import everything, plan_of, scenes_of, toy

DIAMOND = ("top", ()), ("left", ("top",)), ("right", ("top",)), ("bottom", ("left", "right"))


@st.composite
def graphs(draw):
    """Stages with what each needs, in an order in which they can run."""
    names = "abcdefghi"[: draw(st.integers(1, 9))]
    return tuple(
        (name, tuple(sorted(draw(st.sets(st.sampled_from(names[:n]))) if n else ())))
        for n, name in enumerate(names)
    )


class Table:
    """A schedule, and what was taken from it."""

    def __init__(self, graph, networks=()):
        self.needs = dict(graph)
        self.plan = plan_of(
            *(toy(s, *needs, gpu_memory_gb=float(s in networks)) for s, needs in graph)
        )
        self.kinds = [kind.name for kind in kinds_of(self.plan)]
        self.schedule = Schedule(self.plan, kinds_of(self.plan))
        self.taken = []

    def admit(self, *scenes, kept=()):
        """Begin with scenes and resolve them."""
        for scene in scenes:
            self.schedule.admit(scene, None, 0.0)
        calls = [self.schedule.next(CPU_WORKERS) for _ in scenes]
        assert [self.schedule.job(call) for call in calls] == [(scene, None) for scene in scenes]
        return [
            self.schedule.resolved(call, everything(self.plan, scene, kept), 0.0)
            for call, scene in zip(calls, scenes, strict=True)
        ]

    def take(self):
        """Take all calls that are ready; return them by name."""
        calls = {}
        for kind in self.kinds:
            while call := self.schedule.next(kind):
                self.taken.append(self.schedule.name(call))
                calls[self.schedule.name(call)] = call
        return calls

    def end(self, call, status="done", **fields):
        scene, stage = self.schedule.name(call)
        record = StageRecord(scene, stage, "toy", status, **fields)
        return self.schedule.finished(call, record, 0.0)


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 3), st.sets(st.sampled_from("abcdefghi")), st.randoms())
def test_each_step_is_run_once_and_after_what_it_needs(graph, scenes, kept, chance):
    networks = [stage for stage, _ in graph if chance.random() < 0.3]
    table, running = Table(graph, networks), {}
    results = [r for r in table.admit(*scenes_of(scenes), kept=kept) if r]
    done = {f"s{i}": {stage for stage, _ in graph if stage in kept} for i in range(scenes)}
    while True:
        new = table.take()
        assert all(done[scene].issuperset(table.needs[stage]) for scene, stage in new)
        running |= new
        if not running:
            break
        scene, stage = chance.choice(sorted(running))
        result = table.end(running.pop((scene, stage)))
        done[scene].add(stage)
        assert (result is not None) == (done[scene] == set(table.needs))
        results += [result] if result else []
    assert len(table.taken) == len(set(table.taken))
    assert table.schedule.scenes == 0
    assert sorted(r.scene.name for r in results) == sorted(done)
    for result in results:
        assert [(r.stage, r.status) for r in result.records] == [
            (stage, "reused" if stage in kept else "done") for stage, _ in graph
        ]


@settings(max_examples=60, deadline=None)
@given(graphs(), st.data())
def test_after_a_failure_only_what_runs_goes_on_to_its_end(graph, data):
    table = Table(graph)
    table.admit(*scenes_of(1))
    chance = random.Random(data.draw(st.integers(0, 99)))
    running, statuses, result = table.take(), {}, None
    while running:
        name = chance.choice(sorted(running))
        failing = "failed" not in statuses.values() and data.draw(st.booleans())
        statuses[name[1]] = "failed" if failing else "done"
        assert result is None
        result = table.end(running.pop(name), statuses[name[1]])
        new = table.take()
        assert "failed" not in statuses.values() or not new, "a stage began after the failure"
        running |= new
    assert table.schedule.scenes == 0
    assert [(record.stage, record.status) for record in result.records] == [
        (stage, statuses.get(stage, "skipped")) for stage, _ in graph
    ]


def test_side_by_side_stages_are_ready_together_and_the_last_waits_for_both():
    table = Table(DIAMOND)
    table.admit(*scenes_of(1))
    top = table.take()
    assert list(top) == [("s0", "top")]
    table.end(top["s0", "top"])
    middle = table.take()
    assert set(middle) == {("s0", "left"), ("s0", "right")}
    table.end(middle["s0", "left"])
    assert table.take() == {}
    table.end(middle["s0", "right"])
    assert list(table.take()) == [("s0", "bottom")]


def test_a_stage_that_needs_a_kept_one_is_ready_at_once():
    table = Table(DIAMOND)
    table.admit(*scenes_of(1), kept=["top", "left"])
    assert list(table.take()) == [("s0", "right")]


def test_a_scene_of_which_all_is_kept_is_over_when_it_is_resolved():
    table = Table(DIAMOND)
    (result,) = table.admit(*scenes_of(1), kept=[stage for stage, _ in DIAMOND])
    assert result.reused
    assert table.schedule.scenes == 0


def test_scenes_admitted_first_come_first_and_earlier_stages_before_later_ones():
    table = Table((("a", ()), ("b", ())))
    table.admit(*scenes_of(3))
    table.take()
    assert table.taken == [(f"s{i}", stage) for i in range(3) for stage in "ab"]


def test_a_later_stage_of_an_early_scene_comes_before_a_late_scene():
    table = Table((("a", ()), ("b", ("a",))))
    table.admit(*scenes_of(2))
    first = table.schedule.next(CPU_WORKERS)
    table.end(first)
    table.take()
    assert table.taken == [("s0", "b"), ("s1", "a")]


def test_calls_wait_for_workers_of_their_own_kind():
    table = Table((("a", ()), ("net", ())), networks=["net"])
    table.admit(*scenes_of(2))
    assert (table.schedule.waiting(CPU_WORKERS), table.schedule.waiting("net")) == (2, 2)
    assert table.schedule.name(table.schedule.next("net")) == ("s0", "net")
    assert table.schedule.waiting("net") == 1
    assert table.schedule.next("other") is None


def test_a_failed_scene_starts_nothing_and_ends_with_what_runs():
    table = Table(DIAMOND)
    table.admit(*scenes_of(1))
    table.end(table.take()["s0", "top"])
    left = table.schedule.next(CPU_WORKERS)
    right = table.schedule.next(CPU_WORKERS)
    assert table.end(left, "failed") is None
    result = table.end(right)
    assert [r.status for r in result.records] == ["done", "failed", "done", "skipped"]
    assert table.take() == {}


def test_a_failed_scene_takes_back_what_nobody_began_and_leaves_others_alone():
    table = Table((("a", ()), ("b", ()), ("c", ())))
    table.admit(*scenes_of(2))
    result = table.end(table.schedule.next(CPU_WORKERS), "failed")
    assert [r.status for r in result.records] == ["failed", "skipped", "skipped"]
    assert set(table.take()) == {("s1", stage) for stage in "abc"}


def test_a_scene_that_cannot_be_resolved_is_over_at_once():
    table = Table(DIAMOND)
    table.schedule.admit(scenes_of(1)[0], None, 0.0)
    record = StageRecord("s0", "top", "toy", "failed", "not a number")
    result = table.schedule.finished(table.schedule.next(CPU_WORKERS), record, 0.0)
    assert [r.status for r in result.records] == ["failed", "skipped", "skipped", "skipped"]
    assert result.failure == record


def test_a_worker_gets_the_step_or_the_scene_with_its_claim(tmp_path):
    table, claim = Table(DIAMOND), Claim(tmp_path, "us")
    (scene,) = scenes_of(1)
    table.schedule.admit(scene, claim, 0.0)
    call = table.schedule.next(CPU_WORKERS)
    assert table.schedule.job(call) == (scene, claim)
    table.schedule.resolved(call, everything(table.plan, scene), 0.0)
    step = table.schedule.job(table.schedule.next(CPU_WORKERS))
    assert names_of(step) == ("s0", "top")


SICK = StageRecord("s0", "a", "toy", "failed", "why", error="RuntimeError", transient=True)


def one_call():
    table = Table((("a", ()), ("b", ())))
    table.admit(*scenes_of(1))
    return table, table.schedule.next(CPU_WORKERS)


def test_another_try_is_a_call_with_the_next_number():
    table, call = one_call()
    again = table.schedule.again(call, SICK, lost_node=False)
    assert (again.scene, again.stage, again.attempt) == (call.scene, call.stage, 2)
    assert ("s0", "a") not in table.take(), "it is ready only after `retry`"
    assert table.schedule.retry(again, 1.0) is None
    assert list(table.take()) == [("s0", "a")]


def test_another_try_that_is_not_worth_it_is_none():
    table, call = one_call()
    again = table.schedule.again(call, SICK, lost_node=False)
    assert table.schedule.again(again, SICK, lost_node=False) is None


def test_the_stages_of_a_scene_are_tried_apart_from_each_other():
    table, first = one_call()
    second = table.schedule.next(CPU_WORKERS)
    assert table.schedule.again(first, SICK, lost_node=False)
    assert table.schedule.again(second, SICK, lost_node=False)


def test_a_scene_that_failed_since_is_not_tried_again():
    table, first = one_call()
    second = table.schedule.next(CPU_WORKERS)
    again = table.schedule.again(first, SICK, lost_node=False)
    assert table.end(second, "failed") is None
    result = table.schedule.retry(again, 1.0)
    assert [r.status for r in result.records] == ["skipped", "failed"]
    assert table.schedule.scenes == 0


def test_a_failure_in_a_scene_that_failed_already_is_final():
    table, first = one_call()
    second = table.schedule.next(CPU_WORKERS)
    table.end(first, "failed")
    assert table.schedule.again(second, SICK, lost_node=False) is None
    assert table.end(second, "failed") is not None
