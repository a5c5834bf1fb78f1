"""The moving average of a network's weights, which is often better than the last ones."""

from __future__ import annotations

import copy

import torch
from torch import nn


def average_decay(decay: float, step: int) -> float:
    """Return how much of the average stays when step `step`, from 0 on, is taken in.

    It is small at first, so that the average soon forgets the weights of the beginning.
    """
    return min(decay, (1 + step) / (10 + step))


class Average(nn.Module):
    """The moving average of a network, itself a network.

    Args:
        network: what is averaged; its weights are where the average begins.
        decay: see `average_decay`.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after a step; counters and the like are copied as they are."""
        share = 1 - average_decay(self._decay, step)
        for own, other in zip(self.network.parameters(), network.parameters(), strict=True):
            own.lerp_(other, share)
        for kept, current in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(current)
