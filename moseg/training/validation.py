"""Judging a network on the validation's batches, which the processes share among them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from moseg.training.module import TaskModule
from moseg.training.task import Better, TrainingTask


def validate(module: TaskModule, computing: AbstractContextManager[Any]) -> Mapping[str, float]:
    """Return the measures, in every process the same.

    Args:
        module: whose `judged` network is asked; it stays in the mode it is in.
        computing: in which the network computes, for its number format.
    """
    task, network = module.task, module.judged
    rank, world = module.trainer.global_rank, module.trainer.world_size
    own = {}
    with asking(network), computing:
        for number in range(rank, task.validation_batches, world):
            batch = module.trainer.strategy.batch_to_device(task.validation_batch(number))
            own[number] = task.judge(network, batch)
    return _measures(task, _gathered(own, world))


@contextmanager
def asking(network: nn.Module) -> Iterator[None]:
    """Ask a network: evaluation mode without gradients; afterwards it is as it was."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(training)


def is_better(kind: Better, value: float, best: float) -> bool:
    """Whether a value beats the best so far, which is NaN at first; NaN never does."""
    if math.isnan(best):
        return not math.isnan(value)
    return value > best if kind == "largest" else value < best


def _gathered(own: Mapping[int, Any], world: int) -> list[Any]:
    """Return the results of all processes, in the order of the batches."""
    if world == 1:
        return [own[number] for number in sorted(own)]
    parts: list[Any] = [None] * world
    dist.all_gather_object(parts, own)
    merged = {number: result for part in parts for number, result in part.items()}
    return [merged[number] for number in sorted(merged)]


def _measures(task: TrainingTask[Any, Any], results: list[Any]) -> Mapping[str, float]:
    measures = task.measure(results)
    if set(measures) != set(task.measures):
        raise ValueError(f"the task measures {sorted(measures)}, not {sorted(task.measures)}")
    return {name: float(value) for name, value in measures.items()}
