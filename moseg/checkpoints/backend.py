"""Base of the backends whose network comes from a checkpoint."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from moseg.checkpoints.packages import PACKAGES, require_packages
from moseg.checkpoints.store import Checkpoint, open_store
from moseg.core.device import CPU, Device
from moseg.core.errors import ShortOfMemory
from moseg.core.scene import Scene
from moseg.core.stage import Backend, Params, Task

if TYPE_CHECKING:
    from torch import nn

    from moseg.checkpoints.weights import Weights


class NetworkParams(Params):
    """Settings of a backend with a network."""

    checkpoint: str


P = TypeVar("P", bound=NetworkParams)

_OUT_OF_MEMORY = re.compile("out of memory|can't allocate memory", re.IGNORECASE)
"""On a GPU, and on a CPU."""


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch says that the memory of a GPU, or of the machine, is not enough."""
    return _OUT_OF_MEMORY.search(str(error)) is not None


class NetworkBackend(Backend[P], Generic[P]):
    """Finds, checks and loads the checkpoint; a subclass builds the network from it.

    PyTorch is imported by `prepare`, not before: settings and plans need none of it.

    Class attributes:
        packages: what has to be installed, of `moseg.checkpoints.packages.PACKAGES`.
        when_out_of_memory: what to do then.

    Attributes:
        network: in evaluation mode on the device; there after `prepare`.
        device: what it was prepared for.
    """

    packages: ClassVar[tuple[str, ...]] = tuple(PACKAGES)
    when_out_of_memory: ClassVar[str] = (
        "use smaller frames or batches, or a smaller queries.memory_gb"
    )
    network: nn.Module
    device: Device = CPU
    _found: Checkpoint | None = None

    @abstractmethod
    def build(self, weights: Weights) -> nn.Module:
        """Return the network with these weights, on the CPU.

        Raises:
            BackendError: the weights are of another network.
        """

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint of the settings; its digest was checked when it was first asked for.

        Raises:
            BackendError: it is missing (the line ends with the command that brings it), cannot
                be read, or is not the file it should be.
        """
        if self._found is None:
            self._found = open_store().checked(self.params.checkpoint)
        return self._found

    def check(self) -> None:
        """See `Backend.check`: the packages are installed and the checkpoint is here."""
        require_packages(self.stage, self.packages)
        _ = self.checkpoint

    def identity(self, scene: Scene) -> dict[str, str]:  # noqa: ARG002
        """See `Backend.identity`: what the checkpoint holds, wherever it lies."""
        return {"checkpoint": self.checkpoint.sha256}

    def prepare(self, device: Device) -> None:
        """See `Backend.prepare`: the network is built and moved to the device."""
        self.check()
        import torch

        from moseg.checkpoints.weights import read_weights

        found, self.device = self.checkpoint, device
        settings = found.entry.settings if found.entry is not None else {}
        network = self.build(read_weights(found.path, settings))
        try:
            self.network = network.to(torch.device(device.name)).eval()
        except torch.OutOfMemoryError as error:
            raise ShortOfMemory(
                f"{self.stage}: the network does not fit into the memory of {device.name}; "
                "free some, or set device to cpu"
            ) from error

    @contextmanager
    def computing(self, task: Task) -> Iterator[None]:
        """Compute without gradients and with the task's threads until the block ends.

        float32 is float32: the shorter products of some GPUs (TF32) are switched off.

        Raises:
            ShortOfMemory: the memory is not enough.
        """
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(task.threads)
        try:
            with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
                yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise ShortOfMemory(
                f"{task.scene.name}: the memory of {self.device.name} is not enough for stage "
                f"{self.stage}; {self.when_out_of_memory}"
            ) from error
        finally:
            torch.set_num_threads(before)
