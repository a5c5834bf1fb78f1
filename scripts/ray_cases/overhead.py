"""What a scene costs beyond its stages, on real Ray."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from moseg.cluster.runner import open_ray
from moseg.core.device import CPU
from moseg.core.execute import Workbench
from moseg.core.progress import Event, Listener
from moseg.core.resolve import resolve
from moseg.core.runner import Plan
from ray_cases.ray_calls import claim_seconds
from ray_cases.sleeping import asleep, sleeping_plan, sleeping_scenes

ENDING = 0.9
"""Part of the scenes after which some workers may find nothing to do."""


@dataclass(frozen=True)
class Overhead:
    """Seconds a scene.

    Attributes:
        wall: of (wall time - ideal): from all workers up to the end.
        worker: of worker time without a sleep, while there was enough to do.
        stages: of `worker`, what stages took beyond their sleep: working copy, digests, manifests.
        resolve, claims: of `worker`, measured apart in one process.
    """

    wall: float
    worker: float
    stages: float
    resolve: float
    claims: float

    @property
    def calls(self) -> float:
        """What is left of `worker`: Ray, and the driver."""
        return self.worker - self.stages - self.resolve


class Stopwatch(Listener):
    """Notes when workers are up, when calls run and when scenes end."""

    def __init__(self) -> None:
        self.up: list[float] = []
        self.scenes: list[float] = []
        self.calls: list[tuple[str, float, float, float]] = []
        self._begun: dict[tuple[str, str], float] = {}

    def handle(self, event: Event) -> None:
        """See `Listener.handle`."""
        now = time.perf_counter()
        if event.kind == "worker" and event.reason == "started":
            self.up.append(now)
        elif event.kind == "start":
            self._begun[event.scene, event.stage] = now
        elif event.kind == "end" and event.record and event.record.status == "done":
            begun = self._begun[event.scene, event.stage]
            self.calls.append((event.stage, begun, now, event.record.seconds))
        elif event.kind == "scene":
            self.scenes.append(now)


def measure_overhead(folder: Path, scenes: int, workers: int) -> Overhead:
    """Run stages that sleep; folder: an empty one."""
    plan, watch = sleeping_plan(folder / "cache"), Stopwatch()
    with open_ray("local", workers) as runner:
        results = runner.run(plan, sleeping_scenes(folder, scenes), watch)
    failed = [result.failure.reason for result in results if result.failure]
    if failed:
        raise SystemExit(failed[0])
    sleep = asleep(plan)
    begin, end = max(watch.up), watch.scenes[round(ENDING * scenes) - 1]
    slept, stages = _within(watch, sleep, begin, end)
    counted = slept / sum(sleep.values())
    whole, _ = _within(watch, sleep, begin, watch.scenes[-1])
    finding, _ = measure_alone(folder)
    return Overhead(
        wall=(watch.scenes[-1] - begin - whole / workers) / (whole / sum(sleep.values())),
        worker=(workers * (end - begin) - slept) / counted,
        stages=stages / counted,
        resolve=finding,
        claims=claim_seconds(100),
    )


def measure_alone(folder: Path, scenes: int = 8) -> tuple[float, float]:
    """Return seconds a scene of resolving, and of stages beyond their sleep, in this process."""
    plan = sleeping_plan(folder / "alone")
    bench = Workbench(plan.backends, CPU)
    finding, working = [], []
    for scene in sleeping_scenes(folder, scenes):
        begin = time.perf_counter()
        steps = resolve(plan, scene)
        finding.append(time.perf_counter() - begin)
        working.append(sum(bench.run(step).seconds for step in steps))
    return median(finding), median(working) - _sleep(plan)


def _sleep(plan: Plan) -> float:
    return sum(asleep(plan).values())


def _within(
    watch: Stopwatch, sleep: dict[str, float], begin: float, end: float
) -> tuple[float, float]:
    """Return seconds slept, and spent in stages beyond their sleep, between two moments."""
    slept = beyond = 0.0
    for stage, begun, ended, seconds in watch.calls:
        part = max(0.0, min(ended, end) - max(begun, begin)) / (ended - begun)
        slept += part * sleep[stage]
        beyond += part * (seconds - sleep[stage])
    return slept, beyond
