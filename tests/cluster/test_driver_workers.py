"""The workers of a run: kinds that share little room, never come up, or fit nowhere."""

from __future__ import annotations

import pytest

from moseg.cluster.fleet import Node
from tests.cluster.played import FOUR_CORES, TWO_STAGES, check_events, play
from tests.cluster.scripted import FOREVER, ScriptedHands
from tests.cluster.toy_plans import plan_of, scenes_of, toy


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
