"""Runs of the driver on scripted clusters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from moseg.cluster.driver import Driver
from moseg.cluster.fleet import Node
from moseg.core.claims import Claim, ClaimedScenes
from moseg.core.execute import StageRecord
from moseg.core.runner import Plan, SceneResult
from moseg.core.scene import Scene
from tests.cluster.scripted import GOOD, ScriptedHands
from tests.cluster.toy_plans import plan_of, toy
from tests.core.recorder import Recorder

ONE_CORE = Node("n", "h", 1, 64)
FOUR_CORES = Node("n", "h", 4, 64)
TWO_STAGES = plan_of(toy("a"), toy("b", "a"))


def fates_of(**fates):
    """Return fates by `scene_stage`, or by `scene_stage_attempt` for one try alone."""

    def fate(scene, stage, attempt):
        name = f"{scene}_{stage}"
        return fates.get(f"{name}_{attempt}", fates.get(name, GOOD))

    return fate


class Asked:
    """Claims that are always granted.

    Attributes:
        names: the scenes that were asked for, in order.
    """

    def __init__(self) -> None:
        self.names: list[str] = []

    def take(self, scene: str) -> Claim:
        self.names.append(scene)
        return Claim(Path("/nowhere"), "token")


@dataclass(frozen=True)
class Run:
    """What came of a run: the results by scene in the order in which they came, and the rest."""

    results: dict[str, SceneResult]
    hands: ScriptedHands
    events: Recorder
    driver: Driver

    def statuses(self, scene: str) -> list[str]:
        return [record.status for record in self.results[scene].records]

    def record(self, scene: str, stage: str) -> StageRecord:
        return next(r for r in self.results[scene].records if r.stage == stage)


def play(plan: Plan, scenes: Iterable[Scene], hands: ScriptedHands, workers=None) -> Run:
    """Run a plan on a scripted cluster and check what holds of every run."""
    scenes, seen = list(scenes), Recorder()
    queue = ClaimedScenes(scenes, Asked(), seen)
    driver = Driver(plan, hands, queue, seen, workers, hands.clock)
    results = list(driver.run())
    by_name = {result.scene.name: result for result in results}
    assert len(by_name) == len(results)
    assert set(by_name) == {scene.name for scene in scenes}
    for result in results:
        assert [r.stage for r in result.records] == [b.stage for b in plan.backends]
    assert hands.workers == {}, "workers are left behind"
    return Run(by_name, hands, seen, driver)


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
