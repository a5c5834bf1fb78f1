"""The steps of a training run as a stream of batches, made ahead by worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from moseg.core.errors import MosegError
from moseg.training.task import TrainingTask


class Steps(IterableDataset[Any]):
    """The batches of steps `first` to `end - 1`, those of one process.

    A `MosegError` takes the place of a batch that cannot be made, so that it passes from a worker
    process as it is; the reader raises it.

    Args:
        batch: samples a step in each process.
        rank: number of this process.
    """

    def __init__(
        self, task: TrainingTask[Any, Any], seed: int, batch: int, rank: int, first: int, end: int
    ) -> None:
        self._task, self._seed = task, seed
        self._slots = range(rank * batch, (rank + 1) * batch)
        self._first, self._end = first, end

    def __iter__(self) -> Iterator[Any]:
        # The loader takes one batch from each worker in turn, so that steps stay in order.
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in range(self._first + number, self._end, workers):
            try:
                yield self._task.batch(self._seed, step, self._slots)
            except MosegError as error:
                yield error


def load_steps(steps: Steps, workers: int) -> DataLoader[Any]:
    """Return a loader of whole batches; `workers` processes make them ahead, or none."""
    return DataLoader(
        steps,
        batch_size=None,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        # A process that has used PyTorch's threads must not be forked.
        multiprocessing_context="spawn" if workers else None,
    )
