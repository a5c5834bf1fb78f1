"""Multi-head attention under the key names of `torch.nn.MultiheadAttention`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from moseg.models.track_classifier.kernels import Attend


class Attention(nn.Module):
    """Attention with `heads` heads over `width` channels."""

    def __init__(self, width: int, heads: int, attend: Attend) -> None:
        super().__init__()
        self.width = width
        self.heads = heads
        self.attend = attend
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def answers(self, memory: Tensor) -> Tensor:
        """Return keys and values [..., 2 * width] of what can be asked, [..., width]."""
        return F.linear(memory, self.in_proj_weight[self.width :], self.in_proj_bias[self.width :])

    def forward(
        self,
        x: Tensor,
        answers: Tensor,
        keep: Tensor | None = None,
        attend: Attend | None = None,
    ) -> Tensor:
        """Return [B, N, width].

        Args:
            x: what asks, [B, N, width].
            answers: keys and values, [B, M, 2 * width].
            keep: bool [B, M], which of them take part; default all.
            attend: kernel in place of the usual one.
        """
        attend = attend or self.attend
        query = F.linear(x, self.in_proj_weight[: self.width], self.in_proj_bias[: self.width])
        key, value = torch.chunk(answers, 2, dim=-1)
        mixed = attend(self._heads(query), self._heads(key), self._heads(value), keep)
        result: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return result

    def _heads(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)
