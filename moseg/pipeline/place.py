"""Where a run computes: in this process, in worker processes, or on Ray."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from moseg.core.errors import BackendError, ConfigError
from moseg.core.local import LocalRunner, check_workers
from moseg.core.runner import Runner


@dataclass(frozen=True)
class Place:
    """Where a run computes. Nothing of Ray is imported unless `ray` is set.

    Attributes:
        ray: None for this machine without Ray; `local`, `auto` or `ray://host:port`.
        workers: worker processes; None: one without Ray, as many as there are cores with it.
        gpus: GPUs of this machine by number; None: as the settings say.
    """

    ray: str | None = None
    workers: int | None = None
    gpus: tuple[int, ...] | None = None

    def check(self) -> None:
        """Refuse what cannot be, before anything is started.

        Raises:
            ConfigError, BackendError: with what to change.
        """
        if self.workers is not None:
            check_workers(self.workers)
        if self.ray is None:
            return
        if self.ray not in ("local", "auto") and not self.ray.startswith("ray://"):
            raise ConfigError(f"--ray is '{self.ray}'; use local, auto or ray://HOST:PORT")
        if self.gpus is not None and self.ray != "local":
            raise ConfigError(
                "--gpus chooses GPUs of this machine, so it goes with --ray local; on a cluster "
                "leave it out, or set CUDA_VISIBLE_DEVICES where `ray start` is called"
            )
        if importlib.util.find_spec("ray") is None:
            raise BackendError("--ray needs Ray: pip install 'moseg[ray]'")

    @contextmanager
    def open(self) -> Iterator[Runner]:
        """Yield the runner; what was started for it ends with the block.

        Raises:
            BackendError: no Ray cluster answers.
        """
        if self.ray is None:
            yield LocalRunner(self.workers or 1, gpus=self.gpus)
            return
        from moseg.cluster.runner import open_ray

        with open_ray(self.ray, self.workers, self.gpus) as runner:
            yield runner


HERE = Place()
"""This process alone."""
