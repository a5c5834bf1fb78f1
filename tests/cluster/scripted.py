"""A cluster that follows a script, on a clock of its own: no process, no time goes by."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from moseg.cluster.fleet import MOST_ON_CARD, Node, Place
from moseg.cluster.hands import Answered, Died, Hands, Report, Started
from moseg.cluster.kinds import RESOLVE, Kind
from moseg.cluster.schedule import Job, Resolution
from moseg.core.execute import StageRecord
from moseg.core.resolve import Step
from moseg.core.runner import Plan
from tests.cluster.toy_plans import everything
from tests.core.telling.happenings import Clock

FOREVER = 50_000.0
"""No scripted run takes so many seconds, unless it hangs."""

BAD, SICK, DIE = "bad", "sick", "die"


@dataclass(frozen=True)
class Fate:
    """What becomes of a call.

    Attributes:
        ends: "done"; `BAD`, a failure that is the input's; `SICK`, one that another try may mend;
            `DIE`, with the worker.
        why: tells failures apart.
    """

    seconds: float = 1.0
    ends: str = "done"
    why: str = "why"


GOOD = Fate()


Fates = Callable[[str, str, int], Fate]
"""What becomes of (scene, stage, attempt)."""


@dataclass
class _Worker:
    kind: Kind
    place: Place
    started: bool = False
    job: Job | None = None


class ScriptedHands(Hands):
    """Workers that do nothing but answer, each call after its own time.

    It refuses what no driver may do: a call for a worker that is not up or has one already, a
    worker that does not fit into what its node has.

    Args:
        nodes: there at first.
        fates: what becomes of calls; those that resolve have the stage `RESOLVE`.
        births: seconds until the n-th worker of a kind is up; None: it ends instead.
        kept: scene -> stages that need not run.

    Attributes:
        given: (scene, stage) of each call, in the order in which they were given.
        by: (scene, stage) -> the workers that were given it.
        most_in_flight: calls.
        there: the nodes there are now, by id.
        workers: those there are now, by id.
        hired: kind -> how many workers were started.
        stopped: the workers that the driver ended.
        wishes: what was wished for last.
    """

    def __init__(
        self,
        plan: Plan,
        nodes: Iterable[Node],
        fates: Fates = lambda scene, stage, attempt: GOOD,
        births: Callable[[str, int], float | None] = lambda kind, number: 2.0,
        kept: Callable[[str], Iterable[str]] = lambda scene: (),
        grows: bool = False,
    ) -> None:
        self.clock = Clock()
        self.grows = grows
        self.given: list[tuple[str, str]] = []
        self.by: dict[tuple[str, str], list[str]] = {}
        self.most_in_flight = self._in_flight = 0
        self.wishes: Mapping[Kind, int] = {}
        self.workers: dict[str, _Worker] = {}
        self.hired: Counter[str] = Counter()
        self.stopped: list[str] = []
        self._plan, self._fates, self._births, self._kept = plan, fates, births, kept
        self.there = {node.id: node for node in nodes}
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], list[Report]]]] = []

    def later(self, seconds: float, happens: Callable[[], list[Report]]) -> None:
        """Let something happen after a time."""
        heapq.heappush(self._events, (self.clock.now + seconds, next(self._numbers), happens))

    def node_comes(self, seconds: float, node: Node) -> None:
        """Let a node come after a time."""
        self.later(seconds, lambda: self._come(node))

    def node_goes(self, seconds: float, node: str, told: bool) -> None:
        """Let a node go after a time; its workers are reported dead only if that is `told`."""
        self.later(seconds, lambda: self._go(node, told))

    def nodes(self) -> list[Node]:
        return list(self.there.values())

    def start(self, kind: Kind, place: Place) -> str:
        number = self.hired[kind.name]
        self.hired[kind.name] += 1
        worker = f"{kind.name}-{number}"
        self.workers[worker] = _Worker(kind, place)
        if place.node not in self.there:
            self.later(0.1, lambda: self._die(worker, "its node was lost", lost_node=True))
            return worker
        check_node(
            self.there[place.node],
            [(w.kind, w.place) for w in self.workers.values() if w.place.node == place.node],
        )
        seconds = self._births(kind.name, number)
        if seconds is None:
            self.later(0.5, lambda: self._die(worker, "no start"))
        else:
            self.later(seconds, lambda: self._up(worker))
        return worker

    def stop(self, worker: str) -> None:
        self.stopped.append(worker)
        self._forget(worker)

    def give(self, worker: str, job: Job) -> None:
        at = self.workers[worker]
        assert at.started, f"{worker} is not up"
        assert at.job is None, f"{worker} has a call"
        at.job = job
        scene, stage = names_of(job)
        assert stage in at.kind.stages, f"{worker} cannot do {stage}"
        self.given.append((scene, stage))
        tried = self.by.setdefault((scene, stage), [])
        tried.append(worker)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        fate = self._fates(scene, stage, len(tried))
        if fate.ends == DIE:
            self.later(fate.seconds, lambda: self._die(worker, fate.why))
        else:
            self.later(fate.seconds, lambda: self._answer(worker, job, fate))

    def wait(self, seconds: float) -> list[Report]:
        end = self.clock.now + seconds
        assert end < FOREVER, f"it hangs: {self.workers}"
        while self._events and self._events[0][0] <= end:
            self.clock.now, _, happens = heapq.heappop(self._events)
            reports = happens()
            if reports:
                return reports
        self.clock.now = end
        return []

    def wish(self, workers: Mapping[Kind, int]) -> None:
        self.wishes = dict(workers)

    def progress(self, worker: str) -> tuple[int, int] | None:
        assert self.workers[worker].job is not None
        return 1, 2

    def _come(self, node: Node) -> list[Report]:
        self.there[node.id] = node
        return []

    def _go(self, node: str, told: bool) -> list[Report]:
        del self.there[node]
        there = [name for name, worker in self.workers.items() if worker.place.node == node]
        if not told:
            for name in there:
                self.workers[name] = replace(self.workers[name], place=Place("gone", 0))
            return []
        return [report for name in there for report in self._die(name, "gone", lost_node=True)]

    def _up(self, worker: str) -> list[Report]:
        if not self._alive(worker):
            return []
        self.workers[worker].started = True
        return [Started(worker, f"host-{self.workers[worker].place.node}:{worker}")]

    def _answer(self, worker: str, job: Job, fate: Fate) -> list[Report]:
        if not self._alive(worker) or self.workers[worker].job is not job:
            return []
        self.workers[worker].job = None
        self._in_flight -= 1
        return [Answered(worker, self._answer_of(worker, job, fate))]

    def _answer_of(self, worker: str, job: Job, fate: Fate) -> StageRecord | Resolution:
        scene, stage = names_of(job)
        if fate.ends == "done" and not isinstance(job, Step):
            return everything(self._plan, job[0], self._kept(scene))
        first = self._plan.backends[0].stage
        record = StageRecord(scene, first if stage == RESOLVE else stage, "toy", "done")
        if fate.ends == "done":
            return replace(record, seconds=fate.seconds, worker=worker)
        return replace(
            record,
            status="failed",
            reason=fate.why,
            error="InputError" if fate.ends == BAD else "RuntimeError",
            user_error=fate.ends == BAD,
            transient=fate.ends == SICK,
            worker=worker,
        )

    def _die(self, worker: str, cause: str, lost_node: bool = False) -> list[Report]:
        if worker not in self.workers or not (lost_node or self._alive(worker)):
            return []
        self._forget(worker)
        return [Died(worker, cause, lost_node)]

    def _alive(self, worker: str) -> bool:
        return worker in self.workers and self.workers[worker].place.node in self.there

    def _forget(self, worker: str) -> None:
        gone = self.workers.pop(worker)
        self._in_flight -= gone.job is not None


def names_of(job: Job) -> tuple[str, str]:
    """Return the names of a job's scene and stage."""
    return (job.scene.name, job.stage) if isinstance(job, Step) else (job[0].name, RESOLVE)


def check_node(node: Node, workers: Iterable[tuple[Kind, Place]]) -> None:
    """Make sure that a node holds its workers."""
    workers = list(workers)
    assert sum(place.cpus for _, place in workers) <= node.cpus + 1e-6
    assert sum(kind.memory_gb for kind, _ in workers) <= node.memory_gb + 1e-6
    for number, gigabytes in enumerate(node.cards):
        models = [kind for kind, place in workers if place.card == number]
        assert sum(kind.gpu_gb for kind in models) <= gigabytes + 1e-6
        assert all(n <= MOST_ON_CARD for n in Counter(kind.name for kind in models).values())
