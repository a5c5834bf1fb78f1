"""Run one stage of one scene: compute and publish. The same under every runner."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from moseg.core.cache import publish, working_copy
from moseg.core.device import Device
from moseg.core.errors import CacheError, MosegError, ShortOfMemory, writing_to
from moseg.core.manifest import Manifest
from moseg.core.parallel import single_threaded_libraries
from moseg.core.remote.artefacts import at_hand
from moseg.core.remote.source import source_at_hand
from moseg.core.remote.store import StoreUnreachable
from moseg.core.resolve import Step
from moseg.core.stage import Backend, Task

Status = Literal["done", "reused", "unneeded", "failed", "skipped"]


@dataclass(frozen=True)
class StageRecord:
    """What became of one stage of one scene; all of it goes to `run.json`.

    Attributes:
        status: `done` (computed now), `reused`, `unneeded` (gone, but nothing reads it),
            `failed`, or `skipped` since an earlier stage failed.
        reason: why it was computed or what went wrong; one line.
        error: class of what went wrong, such as `InputError`; "" where nothing did.
        user_error: the failure is something the user can mend.
        transient: the failure may go away with another try in another process.
        seconds: wall time spent computing.
        waited: seconds from when its inputs were there until a worker began.
        frames: how many frames the backend worked through; 0 where it did not say.
        peak_memory_mb: largest resident memory of the process while it computed.
        worker, node: process (`host:pid`) and machine that computed it; "" if none did.
        attempts: how often it was tried in this run.
        checkpoint: digest of the network's weights, "" without a network.
        details: stack trace of a failure that is a fault of moseg, else "".
    """

    scene: str
    stage: str
    backend: str
    status: Status
    reason: str = ""
    error: str = ""
    user_error: bool = False
    transient: bool = False
    seconds: float = 0.0
    waited: float = 0.0
    frames: int = 0
    peak_memory_mb: float = 0.0
    worker: str = ""
    node: str = ""
    attempts: int = 1
    checkpoint: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    details: str = ""


class Workbench:
    """Executes steps on one device; prepares each backend once, when it is first needed.

    One for each worker, whatever the runner: a model is loaded once and kept over scenes.
    """

    def __init__(self, backends: Iterable[Backend[Any]], device: Device, threads: int = 1) -> None:
        self.device = device
        self.threads = threads
        self._backends = {backend.stage: backend for backend in backends}
        self._prepared: set[str] = set()

    def run(
        self, step: Step, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> StageRecord:
        """Compute and publish the artefact of `step`; never raises for a failing scene."""
        begin = time.perf_counter()
        frames = 0

        def count(done: int, total: int) -> None:
            nonlocal frames
            frames = total
            progress(done, total)

        forget_peak_memory()
        try:
            manifest = self._compute(step, count)
        except Exception as error:
            return failure_record(step.scene.name, step.stage, step.backend, error, begin)
        return StageRecord(
            scene=step.scene.name,
            stage=step.stage,
            backend=step.backend,
            status="done",
            reason=step.decision.reason,
            seconds=time.perf_counter() - begin,
            frames=frames,
            peak_memory_mb=peak_memory_mb(),
            worker=worker_name(),
            node=socket.gethostname(),
            checkpoint=step.identity.source.get("checkpoint", ""),
            summary=manifest.summary,
            notes=manifest.notes,
        )

    def _compute(self, step: Step, progress: Callable[[int, int], None]) -> Manifest:
        backend, slot = self._prepared_backend(step.stage), step.slot
        keys = {needed: step.identity.needs[name] for name, needed in step.inputs.items()}
        with (
            source_at_hand(step.scene),
            at_hand(keys),
            working_copy(slot, folder=not backend.suffix) as work,
        ):
            task = Task(
                scene=step.scene,
                inputs={name: needed.target for name, needed in step.inputs.items()},
                out=work,
                seed=step.identity.seed or 0,
                threads=self.threads,
                progress=progress,
            )
            with single_threaded_libraries(), writing_to(slot.target):
                report = backend.run(task)
            return publish(slot, work, step.identity, report, step.check_claim)

    def _prepared_backend(self, stage: str) -> Backend[Any]:
        backend = self._backends[stage]
        if stage not in self._prepared:
            backend.prepare(self.device)
            self._prepared.add(stage)
        return backend


def kept_record(step: Step) -> StageRecord:
    """Return the record of a step that does not have to run."""
    manifest = step.decision.manifest
    return StageRecord(
        scene=step.scene.name,
        stage=step.stage,
        backend=step.backend,
        status="reused" if manifest else "unneeded",
        checkpoint=step.identity.source.get("checkpoint", ""),
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
        error=type(error).__name__,
        user_error=known,
        transient=is_transient(error),
        seconds=time.perf_counter() - begin,
        peak_memory_mb=peak_memory_mb(),
        worker=worker_name(),
        node=socket.gethostname(),
        details="" if known else "".join(traceback.format_exception(error)),
    )


def is_transient(error: Exception) -> bool:
    """Whether another try in another process may do better.

    Bad input, wrong settings and a full disk stay as they are. Memory may be free elsewhere, an
    artefact that cannot be read may be one that a network file system does not show yet, a store
    that is away may come back, and what nobody expected may be a sick process or card.
    """
    passing = CacheError | ShortOfMemory | StoreUnreachable
    return not isinstance(error, MosegError) or isinstance(error, passing)


def worker_name() -> str:
    """Return `host:pid` of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process since `forget_peak_memory`, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `ru_maxrss` counts what the parent held at the start
        lines = dict(line.partition(":")[::2] for line in status.read_text().splitlines())
        if "VmHWM" in lines:
            return int(lines["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def forget_peak_memory() -> None:
    """Begin to measure the largest resident memory anew, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
