"""Which stage of which scene can be computed next.

Knows scenes, the order that stages ask for, and what was tried; no processes and no clock. A
scene is first resolved (what has to be done), then its stages run as their inputs are there,
side by side where they do not need each other. Scenes admitted first come first.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from moseg.cluster.kinds import RESOLVE, Kind
from moseg.cluster.tries import Tries
from moseg.core.claims import Claim
from moseg.core.execute import StageRecord
from moseg.core.resolve import Step
from moseg.core.runner import Plan, SceneResult
from moseg.core.scene import Scene
from moseg.core.stage import Backend

Job = Step | tuple[Scene, Claim | None]
"""What a worker is given: a stage to compute, or a scene to resolve."""


@dataclass(frozen=True)
class Resolution:
    """What has to be done for a scene.

    Attributes:
        steps: those that have to run, in the order of the plan.
        kept: the records of those that have not.
    """

    steps: tuple[Step, ...]
    kept: tuple[StageRecord, ...]


@dataclass(frozen=True, order=True)
class Call:
    """One stage of one scene, ready to be computed. Calls sort by urgency.

    Attributes:
        scene, stage: by number, in the order of admission and of the plan; `stage` -1 resolves.
        ready: when it became ready, in seconds of the driver's clock.
        attempt: 1 the first.
    """

    scene: int
    stage: int
    ready: float = field(compare=False)
    attempt: int = field(default=1, compare=False)


@dataclass
class _Work:
    """A scene that is worked on.

    Attributes:
        steps: what has to be done, once that is known.
        begun: the stages that were made ready.
        open: how many calls are ready or running.
    """

    scene: Scene
    claim: Claim | None
    steps: dict[str, Step] = field(default_factory=dict)
    records: dict[str, StageRecord] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    tries: dict[str, Tries] = field(default_factory=lambda: defaultdict(Tries))
    open: int = 0
    failed: bool = False

    def record(self, backend: Backend[Any]) -> StageRecord:
        """The record of a stage, also of one that was never begun."""
        skipped = StageRecord(self.scene.name, backend.stage, backend.name, "skipped")
        return self.records.get(backend.stage, skipped)


class Schedule:
    """Scenes in flight and their calls.

    Args:
        plan: its stages.
        kinds: which sort of worker does which stage.
    """

    def __init__(self, plan: Plan, kinds: Iterable[Kind]) -> None:
        self._plan = plan
        self._stages = [backend.stage for backend in plan.backends]
        self._needs = {backend.stage: backend.needs for backend in plan.backends}
        self._kinds = {stage: kind.name for kind in kinds for stage in kind.stages}
        self._ready: dict[str, list[Call]] = defaultdict(list)
        self._works: dict[int, _Work] = {}
        self._admitted = 0

    @property
    def scenes(self) -> int:
        """How many scenes are in flight."""
        return len(self._works)

    def admit(self, scene: Scene, claim: Claim | None, now: float) -> None:
        """Begin with a scene."""
        number, self._admitted = self._admitted, self._admitted + 1
        self._works[number] = _Work(scene, claim)
        self._add(Call(number, -1, now))

    def waiting(self, kind: str) -> int:
        """How many calls are ready for workers of a kind."""
        return len(self._ready[kind])

    def next(self, kind: str) -> Call | None:
        """Take the most urgent call for workers of a kind; None if none is ready."""
        calls = self._ready[kind]
        return heapq.heappop(calls) if calls else None

    def name(self, call: Call) -> tuple[str, str]:
        """Return the names of a call's scene and stage."""
        stage = self._stages[call.stage] if call.stage >= 0 else RESOLVE
        return self._works[call.scene].scene.name, stage

    def job(self, call: Call) -> Job:
        """Return what a worker needs for a call: the step, or the scene to resolve."""
        work = self._works[call.scene]
        if call.stage < 0:
            return work.scene, work.claim
        return work.steps[self._stages[call.stage]]

    def resolved(self, call: Call, resolution: Resolution, now: float) -> SceneResult | None:
        """Take what has to be done for a scene; return its result if that is nothing."""
        work = self._works[call.scene]
        work.steps = {step.stage: step for step in resolution.steps}
        work.records |= {record.stage: record for record in resolution.kept}
        return self._go_on(call, now)

    def finished(self, call: Call, record: StageRecord, now: float) -> SceneResult | None:
        """Take a final record of a call; return the scene's result if it is over."""
        work = self._works[call.scene]
        work.records[record.stage] = record
        work.failed |= record.status == "failed"
        return self._go_on(call, now)

    def again(self, call: Call, record: StageRecord, lost_node: bool) -> Call | None:
        """Take a failure; return the call for another try, or None if it is not worth it."""
        work = self._works[call.scene]
        if work.failed or not work.tries[self.name(call)[1]].again(record, lost_node):
            return None
        return replace(call, attempt=call.attempt + 1)

    def retry(self, call: Call, now: float) -> SceneResult | None:
        """Make a call of `again` ready; return the scene's result if it failed since."""
        if self._works[call.scene].failed:
            return self._go_on(call, now)
        self._push(call)
        return None

    def _add(self, call: Call) -> None:
        self._works[call.scene].open += 1
        self._push(call)

    def _push(self, call: Call) -> None:
        stage = self._stages[call.stage] if call.stage >= 0 else RESOLVE
        heapq.heappush(self._ready[self._kinds[stage]], call)

    def _go_on(self, call: Call, now: float) -> SceneResult | None:
        """Make ready what can begin now; return the result of a scene that is over."""
        work = self._works[call.scene]
        work.open -= 1
        if work.failed:
            self._drop_ready(call.scene, work)
        else:
            for stage in self._startable(work):
                work.begun.add(stage)
                self._add(Call(call.scene, self._stages.index(stage), now))
        if work.open:
            return None
        del self._works[call.scene]
        return SceneResult(work.scene, tuple(work.record(b) for b in self._plan.backends))

    def _startable(self, work: _Work) -> list[str]:
        """Return the stages whose inputs are there and that have not begun."""
        missing = work.steps.keys() - work.records.keys()
        return [
            stage
            for stage in work.steps
            if stage not in work.begun and not missing.intersection(self._needs[stage])
        ]

    def _drop_ready(self, scene: int, work: _Work) -> None:
        for calls in self._ready.values():
            kept = [call for call in calls if call.scene != scene]
            if len(kept) < len(calls):
                work.open -= len(calls) - len(kept)
                calls[:] = kept
                heapq.heapify(calls)
