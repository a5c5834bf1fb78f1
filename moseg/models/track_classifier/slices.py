"""Work in slices: little memory, and on the CPU threads that never change the result.

PyTorch's own threads split one matrix product among them, and how they do changes its last bits.
Here each slice is computed by one thread alone, and slices are the same for any number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")

SLICE = {"cpu": 1 << 17, "cuda": 1 << 24}
"""Numbers of a layer's input that are worked on at once; a GPU wants many."""


def by_rows(function: Callable[..., Tensor], x: Tensor, *others: Tensor | None) -> Tensor:
    """Return `function(x, *others)`, computed for a few rows (first axis) of all at a time."""
    size = max(1, SLICE[x.device.type] // math.prod(x.shape[1:]))
    count = -(-len(x) // size)
    slices = [[None] * count if o is None else torch.split(o, size) for o in (x, *others)]
    parts = in_order(lambda part: function(*part), list(zip(*slices, strict=True)), x.device)
    return torch.cat(parts)


def in_order(
    function: Callable[[Item], Tensor], items: Sequence[Item], device: torch.device
) -> list[Tensor]:
    """Return `[function(item) for item in items]`, on as many threads as PyTorch may use.

    A GPU is kept busy by one thread; so is one used while gradients are recorded.
    """
    if device.type != "cpu" or torch.is_grad_enabled():
        return [function(item) for item in items]
    inference = torch.is_inference_mode_enabled()

    def alone(item: Item) -> Tensor:
        # Both modes belong to a thread.
        with torch.inference_mode(inference), torch.no_grad():
            return function(item)

    with one_thread() as threads:
        if threads == 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(alone, items))


@contextmanager
def one_thread() -> Iterator[int]:
    """Keep PyTorch to one thread; give the number it had."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)
