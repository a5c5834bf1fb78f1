"""The driver on scripted clusters: every scene ends, whatever dies, fails or never comes."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.cluster.driver import AHEAD, Driver
from moseg.cluster.fleet import Node
from moseg.cluster.kinds import RESOLVE
from moseg.cluster.tries import MOST_LOST_NODES, MOST_TRIES
from moseg.core.claims import UNKNOWN, ClaimedScenes
from moseg.core.progress import Silent
from tests.cluster.played import FOUR_CORES, TWO_STAGES, Asked, check_events, play
from tests.cluster.scripted import BAD, DIE, SICK, Fate, ScriptedHands
from tests.cluster.toy_plans import plan_of, scenes_of, toy


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


def test_a_run_that_is_broken_off_leaves_no_worker():
    hands = ScriptedHands(TWO_STAGES, [FOUR_CORES])
    queue = ClaimedScenes(scenes_of(9), Asked(), Silent())
    results = Driver(TWO_STAGES, hands, queue, Silent(), None, hands.clock).run()
    next(results)
    assert hands.workers
    results.close()
    assert not hands.workers
