"""Run one stage of one scene: decide, compute, publish. The same under every runner."""

from __future__ import annotations

import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from moseg.core.cache import decide, publish, working_copy
from moseg.core.errors import MosegError, writing_to
from moseg.core.layout import Layout, Slot
from moseg.core.manifest import Identity, Manifest
from moseg.core.parallel import single_threaded_libraries
from moseg.core.scene import Scene
from moseg.core.seeds import derive_seed
from moseg.core.stage import Backend, Task

Status = Literal["done", "reused", "failed", "skipped"]


@dataclass(frozen=True)
class StageRecord:
    """What became of one stage of one scene; all of it goes to `run.json`.

    Attributes:
        status: `done` (computed now), `reused`, `failed`, or `skipped` since an earlier failed.
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


@dataclass(frozen=True)
class StageCall:
    """One (stage, scene) pair with all it takes to execute it anywhere.

    Attributes:
        needs: manifests of the stages that `backend.needs` names.
        required: False computes the stage when its artefact is missing or old; True
            never computes it: the artefact must be there.
        hint: what to run when a required artefact is missing.
        announce: called with the reason before anything is computed.
        progress: called with (frames done, frames in all).
    """

    backend: Backend[Any]
    scene: Scene
    layout: Layout
    needs: Mapping[str, tuple[Manifest, Slot]]
    seed: int
    threads: int = 1
    required: bool = False
    hint: str = ""
    announce: Callable[[str], None] = lambda reason: None
    progress: Callable[[int, int], None] = lambda done, total: None

    @property
    def slot(self) -> Slot:
        """Where the artefact lies."""
        return self.layout.slot(self.scene.name, self.backend.stage, self.backend.suffix)

    def identity(self) -> Identity:
        """All that the artefact's bytes depend on."""
        backend = self.backend
        return Identity(
            stage=backend.stage,
            backend=backend.name,
            backend_version=backend.version,
            params=backend.params.model_dump(mode="json"),
            seed=derive_seed(self.seed, backend.stage, self.scene.name),
            source=backend.identity(self.scene),
            needs={name: manifest.key for name, (manifest, _) in self.needs.items()},
        )


def execute(call: StageCall) -> tuple[StageRecord, Manifest | None]:
    """Make sure the artefact of `call` is there; return what was done and its manifest.

    Never raises for a failing scene: the record says what went wrong.
    """
    begin = time.perf_counter()
    try:
        manifest, reason = _execute(call)
    except MosegError as error:
        return _failed(call, str(error), begin, user_error=True), None
    except MemoryError:
        message = f"{call.scene.name}: out of memory in stage {call.backend.stage}"
        return _failed(call, message, begin, user_error=True), None
    except Exception as error:
        message = f"{call.scene.name}: unexpected {type(error).__name__} in stage "
        message += f"{call.backend.stage}: {error}; please report it with run.json"
        trace = traceback.format_exc()
        return _failed(call, " ".join(message.split()), begin, details=trace), None
    status: Status = "done" if reason else "reused"
    return _record(call, status, reason, begin, manifest), manifest


def _execute(call: StageCall) -> tuple[Manifest, str]:
    """Return the artefact's manifest and why it was computed ("" when it was reused)."""
    identity = call.identity()
    decision = decide(call.slot, identity)
    if decision.manifest is not None:
        return decision.manifest, ""
    if call.required:
        raise MosegError(
            f"{call.scene.name}: {call.backend.stage} cannot be used ({decision.reason}); "
            f"{call.hint}"
        )
    call.announce(decision.reason)
    with working_copy(call.slot, folder=not call.backend.suffix) as work:
        task = Task(
            scene=call.scene,
            inputs={name: slot.target for name, (_, slot) in call.needs.items()},
            out=work,
            seed=identity.seed,
            threads=call.threads,
            progress=call.progress,
        )
        with single_threaded_libraries(), writing_to(call.slot.target):
            report = call.backend.run(task)
        return publish(call.slot, work, identity, report), decision.reason


def _record(
    call: StageCall, status: Status, reason: str, begin: float, manifest: Manifest
) -> StageRecord:
    return StageRecord(
        scene=call.scene.name,
        stage=call.backend.stage,
        backend=call.backend.name,
        status=status,
        reason=reason,
        seconds=time.perf_counter() - begin,
        peak_memory_mb=peak_memory_mb(),
        summary=manifest.summary,
        notes=manifest.notes,
    )


def _failed(
    call: StageCall, message: str, begin: float, user_error: bool = False, details: str = ""
) -> StageRecord:
    return StageRecord(
        scene=call.scene.name,
        stage=call.backend.stage,
        backend=call.backend.name,
        status="failed",
        reason=message,
        user_error=user_error,
        seconds=time.perf_counter() - begin,
        peak_memory_mb=peak_memory_mb(),
        details=details,
    )


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
