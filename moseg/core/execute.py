"""Run one stage of one scene: compute and publish. The same under every runner."""

from __future__ import annotations

import resource
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from moseg.core.cache import publish, working_copy
from moseg.core.device import Device
from moseg.core.errors import MosegError, writing_to
from moseg.core.manifest import Manifest
from moseg.core.parallel import single_threaded_libraries
from moseg.core.resolve import Step
from moseg.core.stage import Task

Status = Literal["done", "reused", "unneeded", "failed", "skipped"]


@dataclass(frozen=True)
class StageRecord:
    """What became of one stage of one scene; all of it goes to `run.json`.

    Attributes:
        status: `done` (computed now), `reused`, `unneeded` (gone, but nothing reads it),
            `failed`, or `skipped` since an earlier stage failed.
        reason: why it was computed or what went wrong; one line.
        user_error: the failure is something the user can mend.
        seconds: wall time spent.
        peak_memory_mb: largest resident memory of the process so far.
        details: stack trace of a failure that is a fault of moseg, else "".
    """

    scene: str
    stage: str
    backend: str
    status: Status
    reason: str = ""
    user_error: bool = False
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    summary: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    details: str = ""


class Workbench:
    """Executes steps on one device; prepares each backend once, when it is first needed.

    One for each worker, whatever the runner: a model is loaded once and kept over scenes.
    """

    def __init__(self, device: Device, threads: int = 1) -> None:
        self.device = device
        self.threads = threads
        self._prepared: set[str] = set()

    def run(self, step: Step, progress: Callable[[int, int], None]) -> StageRecord:
        """Compute and publish the artefact of `step`; never raises for a failing scene."""
        begin = time.perf_counter()
        stage, name = step.backend.stage, step.backend.name
        try:
            if stage not in self._prepared:
                step.backend.prepare(self.device)
                self._prepared.add(stage)
        except Exception as error:
            return failure_record(step.scene.name, stage, name, error, begin)
        return execute(step, self.threads, progress)


def execute(
    step: Step, threads: int = 1, progress: Callable[[int, int], None] = lambda done, total: None
) -> StageRecord:
    """Compute and publish the artefact of `step`; its backend is prepared already.

    Never raises for a failing scene: the record says what went wrong.
    """
    begin = time.perf_counter()
    try:
        manifest = _compute(step, threads, progress)
    except Exception as error:
        return failure_record(step.scene.name, step.backend.stage, step.backend.name, error, begin)
    return StageRecord(
        scene=step.scene.name,
        stage=step.backend.stage,
        backend=step.backend.name,
        status="done",
        reason=step.decision.reason,
        seconds=time.perf_counter() - begin,
        peak_memory_mb=peak_memory_mb(),
        summary=manifest.summary,
        notes=manifest.notes,
    )


def _compute(step: Step, threads: int, progress: Callable[[int, int], None]) -> Manifest:
    backend, slot = step.backend, step.slot
    with working_copy(slot, folder=not backend.suffix) as work:
        task = Task(
            scene=step.scene,
            inputs={name: needed.target for name, needed in step.inputs.items()},
            out=work,
            seed=step.identity.seed or 0,
            threads=threads,
            progress=progress,
        )
        with single_threaded_libraries(), writing_to(slot.target):
            report = backend.run(task)
        return publish(slot, work, step.identity, report)


def kept_record(step: Step) -> StageRecord:
    """Return the record of a step that does not have to run."""
    manifest = step.decision.manifest
    return StageRecord(
        scene=step.scene.name,
        stage=step.backend.stage,
        backend=step.backend.name,
        status="reused" if manifest else "unneeded",
        summary=manifest.summary if manifest else {},
        notes=manifest.notes if manifest else (),
    )


def failure_record(
    scene: str, stage: str, backend: str, error: Exception, begin: float
) -> StageRecord:
    """Return the record of a failure, with a stack trace if it is a fault of moseg."""
    known = isinstance(error, MosegError | MemoryError)
    if isinstance(error, MosegError):
        message = str(error)
    elif isinstance(error, MemoryError):
        message = f"{scene}: out of memory in stage {stage}; use fewer workers or smaller frames"
    else:
        kind = type(error).__name__
        message = f"{scene}: unexpected {kind} in stage {stage}: {error}; please report it"
    return StageRecord(
        scene=scene,
        stage=stage,
        backend=backend,
        status="failed",
        reason=" ".join(message.split()),
        user_error=known,
        seconds=time.perf_counter() - begin,
        peak_memory_mb=peak_memory_mb(),
        details="" if known else "".join(traceback.format_exception(error)),
    )


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `ru_maxrss` counts what the parent held at the start
        lines = dict(line.partition(":")[::2] for line in status.read_text().splitlines())
        if "VmHWM" in lines:
            return int(lines["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
