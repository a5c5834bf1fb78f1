"""The contract between the trainer and a network to be trained.

A *task* says which network is trained, on what, by which loss, and how good it is. The trainer
does the rest: steps, seeds, processes, checkpoints, logs. Its rules:

- Samples are a pure function of the run's seed, the step and the number of the sample in that
  step (its *slot*). So a run that was stopped goes on exactly, without any state of a sampler,
  and several processes together see the samples that one would see with a larger batch.
- Whatever else is random in the loss (dropout) comes from PyTorch's own generator, which the
  trainer seeds before each step.
- A batch consists of tensors on the CPU, in lists, tuples and dictionaries; the trainer brings
  them to the device.
- Every step uses the same weights; which these are may depend on the network's options.
- A task can be pickled: processes that make samples, or train, get a copy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

Batch = TypeVar("Batch")
Network = TypeVar("Network", bound=nn.Module)
Better = Literal["largest", "smallest"]
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Loss:
    """What is made small.

    Attributes:
        total: scalar, with gradient; the mean over the samples of the batch.
        parts: scalars by name, to look at.
    """

    total: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


class TrainingTask(ABC, Generic[Network, Batch]):
    """One network, what it learns from, and how it is judged; see the rules above.

    Class attributes:
        measures: what `measure` returns, by name, and which value of it is the best.
    """

    measures: ClassVar[Mapping[str, Better]]

    @abstractmethod
    def make_network(self) -> Network:
        """Return the network with its first weights, drawn from PyTorch's generator."""

    @abstractmethod
    def batch(self, seed: int, step: int, slots: range) -> Batch:
        """Return the samples of some slots of a step.

        Raises:
            MosegError: the data cannot be read; the line says what to do.
        """

    @abstractmethod
    def loss(self, network: Network, batch: Batch) -> Loss:
        """Return the loss of a batch, in training mode."""

    @property
    @abstractmethod
    def validation_batches(self) -> int:
        """How many batches the validation has."""

    @abstractmethod
    def validation_batch(self, number: int) -> Batch:
        """Return a batch of the validation, the same in every run."""

    @abstractmethod
    def judge(self, network: Network, batch: Batch) -> Any:
        """Return what `measure` needs to know of a batch of the validation.

        In evaluation mode and without gradients. The result is small, on the CPU, and can be
        pickled: processes exchange them.
        """

    @abstractmethod
    def measure(self, results: Sequence[Any]) -> Mapping[str, float]:
        """Return the measures of all batches' results, which come in order; NaN: no value."""

    def pictures(self, network: Network) -> Mapping[str, Picture]:  # noqa: ARG002
        """Return example predictions, RGB uint8 [H, W, 3] by file name without ending."""
        return {}

    def metadata(self) -> Mapping[str, str]:
        """Return what the weights do not tell of themselves, to be stored with them."""
        return {}
