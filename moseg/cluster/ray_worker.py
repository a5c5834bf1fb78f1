"""What runs in a Ray actor: the stages of one sort of worker, one call at a time."""

from __future__ import annotations

import time
from contextlib import nullcontext

from moseg.cluster.decoder import FramesFromDecoder
from moseg.cluster.kinds import Kind
from moseg.cluster.schedule import Resolution
from moseg.core.claims import Claim
from moseg.core.execute import (
    StageRecord,
    Workbench,
    failure_record,
    kept_record,
    worker_name,
)
from moseg.core.frames import frames_from
from moseg.core.resolve import Step, resolve
from moseg.core.runner import Plan
from moseg.core.scene import Scene


class RayWorker:
    """Loads a model when it is first needed, and keeps it over scenes.

    A worker with a GPU sees one card, which PyTorch calls `cuda:0` whichever it is, and has a
    decoder beside it.
    """

    def __init__(self, plan: Plan, kind: Kind) -> None:
        self._plan = plan
        backends = [backend for backend in plan.backends if backend.stage in kind.stages]
        self._bench = Workbench(backends, plan.devices[0], kind.threads)
        self._frames = (0, 0)
        self._decoder = FramesFromDecoder() if kind.gpu_gb else None

    def hello(self) -> str:
        """Return `host:pid`; an answer means that the worker is up."""
        return worker_name()

    def run(self, step: Step) -> StageRecord:
        """Compute and publish one stage of one scene."""
        self._frames = (0, 0)
        with frames_from(self._decoder) if self._decoder else nullcontext():
            return self._bench.run(step, self._take_note)

    def resolve(self, scene: Scene, claim: Claim | None) -> Resolution | StageRecord:
        """Find out what has to be done for a scene; the record of a failure if that fails."""
        begin = time.perf_counter()
        try:
            steps = resolve(self._plan, scene, claim)
        except Exception as error:
            first = self._plan.backends[0]
            return failure_record(scene.name, first.stage, first.name, error, begin)
        return Resolution(
            steps=tuple(step for step in steps if step.must_run),
            kept=tuple(kept_record(step) for step in steps if not step.must_run),
        )

    def progress(self) -> tuple[int, int]:
        """Return frames done and in all of the stage that is at work; asked in between."""
        return self._frames

    def _take_note(self, done: int, total: int) -> None:
        self._frames = (done, total)
