"""A cluster that is not there: its workers answer in virtual time, die, and are lost."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from moseg.cluster.fleet import Node, Place
from moseg.cluster.hands import Answered, Died, Hands, Report, Started
from moseg.cluster.kinds import RESOLVE, Kind
from moseg.cluster.schedule import Job, Resolution
from moseg.core.execute import StageRecord
from moseg.core.resolve import Step
from ray_cases.virtual import RayCosts, VirtualClock

SPREAD = 0.5
"""Sigma of the logarithm of stage times: scenes differ in length."""


@dataclass(frozen=True)
class Faults:
    """What goes wrong.

    Attributes:
        deaths, errors: part of the calls whose worker dies, and that fail through no fault of
            the input; at the first try alone, so that every scene can be done.
        lost_nodes: part of the calls with whose end a node is lost; it comes back after
            `node_back` seconds.
    """

    deaths: float = 0.002
    errors: float = 0.002
    lost_nodes: float = 0.0005
    node_back: float = 20.0


@dataclass(frozen=True)
class Cluster:
    """What there is, and how fast it is.

    Attributes:
        steps: those of one scene; all scenes have the same.
        seconds: stage -> mean time of a call.
        start_seconds: kind of worker -> time until one is ready.
    """

    nodes: Sequence[Node]
    steps: tuple[Step, ...]
    seconds: Mapping[str, float]
    start_seconds: Mapping[str, float]


@dataclass
class _Worker:
    kind: Kind
    node: str


class SimulatedHands(Hands):
    """Workers that take as long as they are told and fail as often.

    Attributes:
        calls, worked: how many calls were answered, and how long each kind of worker was at them.
        died, failed, lost: how many workers died, calls failed, nodes were lost.
        most: how many workers there were at most.
    """

    def __init__(
        self, clock: VirtualClock, cluster: Cluster, costs: RayCosts, faults: Faults
    ) -> None:
        self.calls = self.died = self.failed = self.lost = self.most = 0
        self.worked: dict[str, float] = defaultdict(float)
        self._clock = clock
        self._cluster = cluster
        self._costs = costs
        self._faults = faults
        self._random = random.Random(0)
        self._alive = {node.id: node for node in cluster.nodes}
        self._workers: dict[str, _Worker] = {}
        self._tried: set[tuple[str, str]] = set()
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[float], list[Report]]]] = []

    def present(self) -> Counter[str]:
        """Return how many workers of each kind there are now."""
        return Counter(worker.kind.name for worker in self._workers.values())

    def nodes(self) -> list[Node]:
        """See `Hands.nodes`."""
        self._clock.spend(self._costs.node * len(self._alive))
        return list(self._alive.values())

    def start(self, kind: Kind, place: Place) -> str:
        """See `Hands.start`."""
        with self._clock.stopped() as now:
            worker = f"worker-{next(self._numbers)}"
            self._workers[worker] = _Worker(kind, place.node)
            self.most = max(self.most, len(self._workers))

            def start(_: float) -> list[Report]:
                return [Started(worker, f"{place.node}:{worker}")] if self._is(worker) else []

            self._at(now + self._cluster.start_seconds[kind.name], start)
        self._clock.spend(self._costs.submit)
        return worker

    def stop(self, worker: str) -> None:
        """See `Hands.stop`."""
        self._workers.pop(worker, None)

    def give(self, worker: str, job: Job) -> None:
        """See `Hands.give`."""
        with self._clock.stopped() as now:
            stage = job.stage if isinstance(job, Step) else RESOLVE
            # The mean of this distribution is the stage's mean.
            spread = self._random.lognormvariate(-(SPREAD**2) / 2, SPREAD)
            seconds = self._cluster.seconds[stage] * spread
            report = self._fate(worker, job, seconds)

            def end(moment: float) -> list[Report]:
                if not self._is(worker):
                    return []
                if isinstance(report, Died):
                    del self._workers[worker]
                else:
                    self.calls += 1
                    self.worked[self._workers[worker].kind.name] += moment - now
                lost = self._random.random() < self._faults.lost_nodes
                return [report, *(self._lose_node(moment) if lost else ())]

            dies = isinstance(report, Died)
            self._at(now + seconds * (self._random.random() if dies else 1.0), end)
        self._clock.spend(self._costs.submit)

    def wait(self, seconds: float) -> list[Report]:
        """See `Hands.wait`."""
        self._clock.spend(self._costs.wait + self._costs.wait_each * len(self._workers))
        with self._clock.stopped() as now:
            end = now + seconds
            reports = self._due(now)
            while not reports and self._events and self._events[0][0] <= end:
                self._clock.leap(self._events[0][0])
                reports = self._due(self._events[0][0])
            if not reports:
                self._clock.leap(end)
        self._clock.spend(self._costs.get * len(reports))
        return reports

    def _is(self, worker: str) -> bool:
        return worker in self._workers

    def _at(self, moment: float, what: Callable[[float], list[Report]]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), what))

    def _due(self, now: float) -> list[Report]:
        """Let everything happen whose time has come; return what is reported of it."""
        reports: list[Report] = []
        while self._events and self._events[0][0] <= now:
            moment, _, what = heapq.heappop(self._events)
            reports += what(moment)
        return reports

    def _fate(self, worker: str, job: Job, seconds: float) -> Report:
        """Return how a call ends."""
        if not isinstance(job, Step):
            steps = tuple(replace(step, scene=job[0]) for step in self._cluster.steps)
            return Answered(worker, Resolution(steps, ()))
        draw, call = self._random.random(), (job.scene.name, job.stage)
        first = call not in self._tried
        self._tried.add(call)
        if first and draw < self._faults.deaths:
            self.died += 1
            return Died(worker, "its process ended")
        record = StageRecord(job.scene.name, job.stage, job.backend, "done", seconds=seconds)
        if first and draw < self._faults.deaths + self._faults.errors:
            self.failed += 1
            record = replace(record, status="failed", reason="a sick card", transient=True)
        return Answered(worker, record)

    def _lose_node(self, now: float) -> list[Report]:
        """Lose one node, but never the last; it comes back."""
        if len(self._alive) < 2:
            return []
        node = self._alive.pop(self._random.choice(list(self._alive)))
        self.lost += 1
        gone = [name for name, worker in self._workers.items() if worker.node == node.id]
        for name in gone:
            del self._workers[name]

        def come_back(_: float) -> list[Report]:
            self._alive[node.id] = node
            return []

        self._at(now + self._faults.node_back, come_back)
        return [Died(name, "its node was lost", lost_node=True) for name in gone]
