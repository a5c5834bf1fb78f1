"""The driver on scripted clusters: every scene ends, whatever dies, fails or never comes."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.cluster.driver import AHEAD, RETRY_DELAY, SLOW_START, WATCH, Driver
from moseg.cluster.fleet import Node
from moseg.cluster.hands import Died
from moseg.cluster.kinds import RESOLVE
from moseg.cluster.schedule import Resolution
from moseg.cluster.tries import MOST_LOST_NODES, MOST_TRIES
from moseg.core.claims import UNKNOWN, ClaimedScenes, Claims
from moseg.core.device import CPU
from moseg.core.execute import Workbench, kept_record
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.resolve import Step, resolve
from tests.cluster.scripted import (
    BAD,
    DIE,
    FOREVER,
    GOOD,
    SICK,
    Asked,
    Fate,
    Recorder,
    ScriptedHands,
    plan_of,
    play,
    scenes_of,
    toy,
)
from tests.core.test_local import make_plan, make_scenes, tree

ONE_CORE = Node("n", "h", 1, 64)
FOUR_CORES = Node("n", "h", 4, 64)
TWO_STAGES = plan_of(toy("a"), toy("b", "a"))


def fates_of(**fates):
    """Return fates by `scene_stage`, or by `scene_stage_attempt` for one try alone."""

    def fate(scene, stage, attempt):
        name = f"{scene}_{stage}"
        return fates.get(f"{name}_{attempt}", fates.get(name, GOOD))

    return fate


@st.composite
def plans(draw):
    """Plans of 3 to 9 stages, some of them networks, on GPUs or not."""
    names = "abcdefghi"[: draw(st.integers(3, 9))]
    gigabytes = st.sampled_from([0.0, 0.0, 4.0, 30.0])
    stages = [
        toy(
            name,
            *sorted(draw(st.sets(st.sampled_from(names[:n]), max_size=3)) if n else ()),
            cpus=draw(st.sampled_from([0.5, 1.0, 2.0])),
            gpu_memory_gb=draw(gigabytes),
        )
        for n, name in enumerate(names)
    ]
    return plan_of(*stages, device=draw(st.sampled_from(["cpu", "cuda:0"])))


CLUSTERS = st.sampled_from(
    [
        [Node("n0", "h", 2, 8, (40.0,))],
        [Node("n0", "h", 16, 64, (80.0, 80.0))],
        [Node("n0", "h", 3, 16, (40.0,)), Node("n1", "h", 8, 32)],
    ]
)


def check_events(run):
    """Make sure that what was told of each stage is in order, and fits the record."""
    for name, result in run.results.items():
        for record in result.records:
            events = run.events.of(name, record.stage)
            told = "".join(event.kind[0] for event in events)
            assert re.fullmatch(r"r*(sp*r)*(sp*)?e?", told), told
            starts = [event.attempt for event in events if event.kind == "start"]
            assert starts == sorted(set(starts))
            ends = [event.record for event in events if event.kind == "end"]
            assert ends == ([] if record.status == "skipped" else [record])


@settings(max_examples=30, deadline=None)
@given(plans(), CLUSTERS, st.integers(1, 12), st.integers(0, 999))
def test_without_failures_each_stage_is_computed_once(plan, nodes, number, seed):
    def fate(scene, stage, attempt):
        return Fate(random.Random(f"{seed}{scene}{stage}").uniform(0, 20))

    run = play(plan, scenes_of(number), ScriptedHands(plan, nodes, fate))
    stages = [backend.stage for backend in plan.backends]
    assert Counter(run.hands.given) == Counter(
        (f"s{n}", stage) for n in range(number) for stage in [RESOLVE, *stages]
    )
    assert all(set(run.statuses(name)) == {"done"} for name in run.results)
    check_events(run)


@settings(max_examples=80, deadline=None)
@given(plans(), CLUSTERS, st.integers(1, 10), st.integers(0, 999), st.booleans())
def test_every_scene_ends_whatever_dies_and_fails(plan, nodes, number, seed, lossy):
    def fate(scene, stage, attempt):
        chance = random.Random(f"{seed}{scene}{stage}{attempt}")
        ends = chance.choices(["done", BAD, SICK, DIE], [90, 2, 4, 4])[0]
        return Fate(chance.uniform(0, 9), ends, chance.choice("uvw"))

    def birth(kind, worker):
        return 1.0 if random.Random(f"{seed}{kind}{worker}").random() < 0.9 else None

    hands = ScriptedHands(plan, nodes, fate, birth)
    for n in range(4 if lossy else 0):
        hands.node_comes(20.0 * n, Node(f"x{n}", "h", 4, 32, (40.0,)))
        hands.node_goes(20.0 * n + 15, f"x{n}", told=n % 2 == 0)
    run = play(plan, scenes_of(number), hands)
    check_events(run)
    most = MOST_TRIES + (MOST_LOST_NODES - 1 if lossy else 0)
    assert max(Counter(hands.given).values()) <= most
    for name, result in run.results.items():
        tries = [(stage, n) for (s, stage), n in Counter(hands.given).items() if s == name]
        ends = {fate(name, stage, k + 1).ends for stage, n in tries for k in range(n)}
        if result.failure is None:
            assert {record.status for record in result.records} == {"done"}
            assert lossy or BAD not in ends  # with its node, a bad call may go unheard
        elif result.failure.error != "NoWorker":
            assert ends & {BAD, SICK, DIE}


def test_kinds_that_do_not_fit_side_by_side_take_turns():
    nets = [toy(name, cpus=2, gpu_memory_gb=1) for name in ("u", "v", "w")]
    plan = plan_of(*nets, toy("last", "u", "v", "w"))
    run = play(plan, scenes_of(20), ScriptedHands(plan, [Node("n", "h", 2, 64)]))
    assert all(set(run.statuses(name)) == {"done"} for name in run.results)


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_a_card_kept_for_a_network_does_not_lock_out_what_it_waits_for(cores):
    nets = [toy(name, "a", cpus=2, gpu_memory_gb=30) for name in ("u", "v")]
    plan = plan_of(toy("a"), *nets, toy("z", "u", "v"), device="cuda:0")
    run = play(plan, scenes_of(5), ScriptedHands(plan, [Node("n", "h", cores, 64, (40.0,))]))
    assert all(set(run.statuses(name)) == {"done"} for name in run.results)


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


def test_how_long_a_stage_waited_for_a_worker_is_recorded():
    plan = plan_of(toy("a"), toy("b"))
    fates = fates_of(s0_a=Fate(10))
    run = play(plan, scenes_of(1), ScriptedHands(plan, [ONE_CORE], fates))
    assert run.record("s0", "a").waited == pytest.approx(0)
    assert run.record("s0", "b").waited == pytest.approx(10)


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


def test_a_cluster_that_grows_is_waited_for():
    hands = ScriptedHands(TWO_STAGES, [], grows=True)
    hands.node_comes(120, FOUR_CORES)
    run = play(TWO_STAGES, scenes_of(3), hands)
    assert all(run.statuses(name) == ["done", "done"] for name in run.results)


def test_a_kind_that_fits_nowhere_fails_its_scenes_in_one_line_each_and_no_others():
    plan = plan_of(toy("a"), toy("net", "a", gpu_memory_gb=90), device="cuda:0")
    hands = ScriptedHands(
        plan,
        [Node("n", "h", 4, 64, (80.0,))],
        kept=lambda scene: ["net"] if scene in ("s1", "s4") else (),
    )
    run = play(plan, scenes_of(6), hands)
    failed = {name: result.failure for name, result in run.results.items() if result.failure}
    assert sorted(failed) == ["s0", "s2", "s3", "s5"]
    for name, failure in failed.items():
        assert failure.stage == "net"
        assert failure.reason.startswith(f"{name}: there is no worker in stage net")
        assert "90 GB on one GPU" in failure.reason
        assert "\n" not in failure.reason
        assert failure.user_error
    check_events(run)


def test_a_kind_whose_workers_never_come_up_fails_its_scenes():
    plan = plan_of(toy("a"), toy("net", "a", gpu_memory_gb=1))
    hands = ScriptedHands(
        plan, [FOUR_CORES], births=lambda kind, number: None if kind == "net" else 1.0
    )
    run = play(plan, scenes_of(4), hands)
    assert all(run.statuses(name) == ["done", "failed"] for name in run.results)
    assert "no start" in run.results["s3"].failure.reason
    check_events(run)


def test_a_cluster_on_which_nothing_fits_fails_every_scene_before_it_is_resolved():
    plan = plan_of(toy("a", memory_gb=640), toy("b", "a"))
    run = play(plan, scenes_of(3), ScriptedHands(plan, [FOUR_CORES]))
    assert all(run.statuses(name) == ["failed", "skipped"] for name in run.results)
    assert "there is no worker before the first stage" in run.results["s2"].failure.reason
    assert run.hands.given == []


def test_the_worker_that_did_come_up_goes_on_where_others_never_do():
    plan = plan_of(toy("a"), toy("net", "a", gpu_memory_gb=1))
    hands = ScriptedHands(
        plan,
        [Node("n", "h", 16, 64)],
        births=lambda kind, number: None if kind == "net" and number else 5.0,
    )
    run = play(plan, scenes_of(12), hands)
    assert hands.hired["net"] > 3
    assert all(run.statuses(name) == ["done", "done"] for name in run.results)


def test_no_more_cpu_workers_than_asked_for():
    hands = ScriptedHands(TWO_STAGES, [Node("n", "h", 64, 64)])
    run = play(TWO_STAGES, scenes_of(30), hands, workers=3)
    assert hands.hired == {"cpu": 3}
    assert hands.most_in_flight == 3
    assert len(run.results) == 30


@pytest.mark.parametrize("cores", [1, 8])
def test_claims_are_asked_for_one_by_one_and_no_more_than_keep_the_workers_busy(cores):
    class Watched(Asked):
        def take(self, scene):
            assert driver._schedule.scenes < AHEAD + 2 * len(hands.workers)
            assert driver._schedule.scenes == len(self.names) - len(results)
            return super().take(scene)

    hands, asked, results = ScriptedHands(TWO_STAGES, [Node("n", "h", cores, 64)]), Watched(), []
    queue = ClaimedScenes(scenes_of(40), asked, Silent())
    driver = Driver(TWO_STAGES, hands, queue, Silent(), None, hands.clock)
    for result in driver.run():
        results.append(result)
        assert len(asked.names) <= len(results) + AHEAD + 2 * cores
    assert asked.names == [f"s{n}" for n in range(40)]


def test_idle_workers_end_while_another_run_holds_what_is_left(monkeypatch):
    class HeldForAMinute(Asked):
        def take(self, scene):
            if scene == "s1" and hands.clock.now < begin + 60:
                if hands.clock.now > begin + 20:
                    assert hands.workers == {}
                return UNKNOWN
            return super().take(scene)

    monkeypatch.setattr("moseg.core.claims.PATIENCE", 0.0)
    hands, asked = ScriptedHands(TWO_STAGES, [FOUR_CORES]), HeldForAMinute()
    begin = hands.clock.now
    queue = ClaimedScenes(scenes_of(3), asked, Silent())
    results = list(Driver(TWO_STAGES, hands, queue, Silent(), None, hands.clock).run())
    assert sorted(result.scene.name for result in results) == ["s0", "s1", "s2"]
    assert asked.names == ["s0", "s2", "s1"]


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


class Elsewhere(ScriptedHands):
    """A node whose other core another program has: one worker at a time comes up."""

    def start(self, kind, place):
        identifier = super().start(kind, place)
        self.workers[identifier].started = False
        return identifier

    def _up(self, worker):
        if worker in self.workers and any(w.started for w in self.workers.values()):
            self.later(1.0, lambda: self._up(worker))
            return []
        return super()._up(worker)


def test_an_idle_worker_makes_way_for_one_that_is_not_started():
    plan = plan_of(toy("a"), toy("net", "a", gpu_memory_gb=1), toy("b", "net"))
    hands = Elsewhere(plan, [Node("n", "h", 2, 64)])
    run = play(plan, scenes_of(1), hands)
    assert run.statuses("s0") == ["done", "done", "done"]


def test_a_worker_that_never_comes_up_is_replaced_on_another_node():
    births = {0: FOREVER}
    hands = ScriptedHands(
        TWO_STAGES,
        [Node("sick", "h", 8, 64), Node("well", "h", 1, 64)],
        births=lambda kind, number: births.get(number, 2.0),
    )
    run = play(TWO_STAGES, scenes_of(1), hands)
    assert run.statuses("s0") == ["done", "done"]
    assert run.record("s0", "a").worker.startswith("cpu-1")
    assert run.events.of("s0", "a")[0].node == "host-well"


def test_a_run_that_is_broken_off_leaves_no_worker():
    hands = ScriptedHands(TWO_STAGES, [FOUR_CORES])
    queue = ClaimedScenes(scenes_of(9), Asked(), Silent())
    results = Driver(TWO_STAGES, hands, queue, Silent(), None, hands.clock).run()
    next(results)
    assert hands.workers
    results.close()
    assert not hands.workers


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
