"""The contract of stages and backends.

A *stage* is a slot of the pipeline (`depths`, `tracks`, ...). A *backend* is one way to fill
it. A backend reads a scene and the artefacts of earlier stages, and writes one artefact: a
folder or a file that the cache then publishes whole. It never looks at where things lie, at
other scenes, at who runs it or in which process: all it needs comes in a `Task`.

A backend is made once for each worker, `prepare`d once (where it loads its model), and then
`run` for any number of scenes, one after the other. Equal parameters, inputs and seed must
give equal bytes, whatever the number of threads; networks may differ in rounding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from moseg.core.device import Device
from moseg.core.scene import Scene


class Params(BaseModel):
    """Base of all settings: unknown keys are refused, values are checked, nothing changes.

    Class attributes:
        harmless: settings that never change a byte of the artefact, so that another value of
            one redoes nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    harmless: ClassVar[frozenset[str]] = frozenset()


class NoParams(Params):
    """For backends without settings."""


@dataclass(frozen=True)
class Resources:
    """What one running backend needs, for runners that place work.

    Attributes:
        cpus: cores it keeps busy with one thread.
        memory_gb: host memory.
        gpu_memory_gb: GPU memory; 0 for a backend that computes on the CPU.
    """

    cpus: float = 1.0
    memory_gb: float = 1.0
    gpu_memory_gb: float = 0.0


@dataclass(frozen=True)
class Task:
    """One scene for one backend.

    Attributes:
        scene: what to work on.
        inputs: where the artefacts of the stages named in `Backend.needs` lie.
        out: an empty folder to fill, or the path of the file to write.
        seed: for anything random; depends on the run's seed, the stage and the scene.
        threads: how many threads the backend may use; never changes the result.
        progress: call with (frames done, frames in all).
    """

    scene: Scene
    inputs: Mapping[str, Path]
    out: Path
    seed: int = 0
    threads: int = 1
    progress: Callable[[int, int], None] = lambda done, total: None


@dataclass(frozen=True)
class Report:
    """What a backend says of one scene.

    Attributes:
        summary: small facts for `run.json` (counts, sizes); JSON values; no times.
        notes: sentences a person should read. They are printed and kept with the artefact.
    """

    summary: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


P = TypeVar("P", bound=Params)


class Backend(ABC, Generic[P]):
    """One way to do a stage; the module's docstring is the contract.

    Class attributes:
        stage: the artefact it makes, also the key of the stage in the configuration.
        name: which backend it is, as the configuration calls it.
        version: raised whenever the same input would give other bytes.
        needs: stages whose artefacts it reads; may depend on the settings.
        seeded: whether it uses `Task.seed`; if not, another seed changes nothing.
        suffix: "" when the artefact is a folder, else the suffix of the file it is.
        resources: what a running one needs.
    """

    stage: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[int]
    needs: tuple[str, ...] = ()
    seeded: ClassVar[bool] = False
    suffix: ClassVar[str] = ""
    resources: ClassVar[Resources] = Resources()

    def __init__(self, params: P) -> None:
        self.params = params

    @property
    def uses_gpu(self) -> bool:
        """True when the backend computes on the device it is prepared for."""
        return self.resources.gpu_memory_gb > 0

    def identity(self, scene: Scene) -> dict[str, str]:  # noqa: ARG002
        """Return what else the artefact depends on, such as a checkpoint's digest.

        The stage that reads the source itself returns the content's fingerprint here.
        """
        return {}

    def check(self) -> None:
        """Say what is missing before any scene is begun: packages, checkpoints.

        Cheap; nothing is loaded.

        Raises:
            BackendError: the backend cannot run here.
        """

    def prepare(self, device: Device) -> None:
        """Load what is needed to run on `device`; called once before the first scene.

        Raises:
            BackendError: a package, device or checkpoint is missing.
        """

    @abstractmethod
    def run(self, task: Task) -> Report:
        """Make the artefact of one scene at `task.out`.

        Raises:
            InputError: the scene cannot be used.
            CacheError: an artefact of an earlier stage cannot be read.
        """
