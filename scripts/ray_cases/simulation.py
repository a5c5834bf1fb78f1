"""The real driver on clusters that are not there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from moseg.cluster.driver import Driver
from moseg.core.progress import Display, Event, Listener, Listeners
from moseg.core.runner import Plan
from moseg.core.telling.event_log import EventLog
from ray_cases.simulated_hands import Cluster, Faults, SimulatedHands
from ray_cases.virtual import FreeScenes, RayCosts, VirtualClock
from ray_cases.workloads import SCENE

STEADY = (0.3, 0.7)
"""Part of the scenes between which rates are taken: all workers are there and nothing ends."""


@dataclass(frozen=True)
class Moment:
    """How far a run is.

    Attributes:
        time, driver: seconds on the clock, and of it those that the driver was at work.
        worked, present: kind -> seconds of work, and how many workers there are now.
        calls, scenes: how many are over.
    """

    time: float
    driver: float
    worked: Mapping[str, float]
    present: Mapping[str, int]
    calls: int
    scenes: int


@dataclass(frozen=True)
class Outcome:
    """One simulated run.

    Attributes:
        workers: how many there were at most.
        done: scenes that were done; all that are not failed.
        begin, end: of the steady part.
    """

    workers: int
    scenes: int
    done: int
    died: int
    failed: int
    lost: int
    begin: Moment
    end: Moment

    @property
    def calls_a_second(self) -> float:
        """Calls that went through the driver."""
        return (self.end.calls - self.begin.calls) / self._seconds

    @property
    def scenes_a_minute(self) -> float:
        """Scenes that were done."""
        return 60 * (self.end.scenes - self.begin.scenes) / self._seconds

    @property
    def driver_busy(self) -> float:
        """Part of the time that the driver is at work."""
        return (self.end.driver - self.begin.driver) / self._seconds

    @property
    def efficiency(self) -> float:
        """Part of the time that the busiest kind of worker is at work."""
        return max(
            (seconds - self.begin.worked.get(kind, 0.0))
            / (self.begin.present[kind] + self.end.present[kind])
            for kind, seconds in self.end.worked.items()
            if self.begin.present[kind] and self.end.present[kind]
        ) * (2 / self._seconds)

    @property
    def _seconds(self) -> float:
        return max(self.end.time - self.begin.time, 1e-9)


def simulate(plan: Plan, cluster: Cluster, scenes: int, costs: RayCosts, faults: Faults) -> Outcome:
    """Run the driver over scenes on a cluster in virtual time."""
    clock = VirtualClock()
    hands = SimulatedHands(clock, cluster, costs, faults)
    queue = FreeScenes(scenes, clock, costs.claim, SCENE)
    over = done = 0
    moments: list[Moment] = []
    with _listener() as listener:
        listener.handle(Event("scenes", total=scenes))
        for result in Driver(plan, hands, queue, listener, clock=clock).run():
            listener.handle(Event("scene", result.scene.name, result=result))
            over += 1
            done += result.failure is None
            if over in [max(1, round(part * scenes)) for part in STEADY]:
                worked, present = dict(hands.worked), hands.present()
                moments.append(Moment(clock(), clock.busy, worked, present, hands.calls, over))
    return Outcome(
        hands.most, scenes, done, hands.died, hands.failed, hands.lost, moments[0], moments[-1]
    )


@contextmanager
def _listener() -> Iterator[Listener]:
    """Yield what a run of the command line has: `events.jsonl`, and lines for a person."""
    with tempfile.TemporaryDirectory() as folder:
        nowhere = Path(folder) / "lines.txt"
        with (
            nowhere.open("w") as lines,
            EventLog(Path(folder) / "events.jsonl") as log,
            Display(Console(file=lines, soft_wrap=True)) as display,
        ):
            yield Listeners(log, display)
