"""SAM 2's memory attention on a CPU: less work than the library does for equal results.

- A memory has 64 channels, its key and value 256, and values are not rotated. Attention averages
  memories, and the average is projected: sum(p (W m + b)) = W sum(p m) + b, as sum(p) = 1. The
  two projections behind the average are one matrix.
- Scores are computed for some queries at a time, softmax in place: PyTorch's fused attention for
  CPUs wants values as wide as keys.
- Pairs of channels are rotated (Su et al., "RoFormer", 2021) by a table that is made once and not
  repeated for every memory.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoMemoryAttention

SCORES = 2**22
"""Scores held at once, 16 MiB: of 128 queries with seven memories."""


def use_fast_memory(network: PreTrainedModel) -> None:
    """Let a network attend to memories by `MemoryAttention`, if it does as SAM 2 is published.

    Its parameters, their keys and its results stay. Doing it again changes nothing.
    """
    found = network.memory_attention
    heads = getattr(network.config, "memory_attention_num_attention_heads", None)
    if type(found) is Sam2VideoMemoryAttention and heads == 1:
        network.memory_attention = MemoryAttention(found)


class MemoryAttention(Sam2VideoMemoryAttention):
    """Stands for the library's module and shares its parameters.

    On other devices than CPUs, under autocast, for several objects at a time and in training the
    library's own code runs.
    """

    turns: torch.Tensor
    """cos and sin of the angles of the cells, float32 [cells, C / 2, 2]."""

    def __init__(self, of: Sam2VideoMemoryAttention) -> None:
        """Share the parts of a module of one attention head, which has its values."""
        nn.Module.__init__(self)
        self.train(of.training)
        self.config = of.config
        self.layers = of.layers
        self.layer_norm = of.layer_norm
        self.rotary_emb = of.rotary_emb
        self.register_buffer("position_ids", of.position_ids, persistent=False)
        cos, sin = of.rotary_emb(of.layer_norm.weight, of.position_ids)
        turns = torch.stack((cos[0, :, ::2], sin[0, :, ::2]), -1)
        self.register_buffer("turns", turns, persistent=False)

    def forward(
        self,
        current_vision_features: torch.Tensor,
        memory: torch.Tensor,
        current_vision_position_embeddings: torch.Tensor | None = None,
        memory_posision_embeddings: torch.Tensor | None = None,
        num_object_pointer_tokens: int = 0,
    ) -> torch.Tensor:
        """Return the features of a frame with what the memories tell, [B, 1, cells, C].

        Args:
            current_vision_features: [cells, B, C].
            memory: of frames, `cells` tokens each, then of object pointers, [n, B, c].
            current_vision_position_embeddings: [cells, B, C].
            memory_posision_embeddings: [n, B, c]; the name is the library's.
            num_object_pointer_tokens: the last tokens of `memory`, which have no place in the
                image.
        """
        here, there = current_vision_position_embeddings, memory_posision_embeddings
        if here is None or there is None or not self._can_run(memory):
            others: torch.Tensor = super().forward(
                current_vision_features, memory, here, there, num_object_pointer_tokens
            )
            return others
        turns = torch.view_as_complex(self.turns)
        memory = memory[:, 0]
        frames = (len(memory) - num_object_pointer_tokens) // len(turns)
        axes = self.turns.permute(2, 1, 0).contiguous()
        placed = memory + there[:, 0]
        x = (current_vision_features + 0.1 * here)[:, 0]
        layers: Any = self.layers
        for layer in layers:
            x = x + _look_around(layer.self_attn, layer.layer_norm1(x), turns)
            keys = _keys(layer.cross_attn_image, placed, frames, axes)
            x = x + _look_back(layer.cross_attn_image, layer.layer_norm2(x), keys, memory, turns)
            x = x + layer.linear2(layer.activation(layer.linear1(layer.layer_norm3(x))))
        found: torch.Tensor = self.layer_norm(x)
        return found[None, None]

    def _can_run(self, memory: torch.Tensor) -> bool:
        device, batch = memory.device.type, memory.shape[1]
        low = torch.is_autocast_enabled(device)
        return device == "cpu" and batch == 1 and not low and not self.training


def _look_around(part: Any, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """Return the self-attention of tokens [cells, C]."""
    query, key = rotated(part.q_proj(x), turns), rotated(part.k_proj(x), turns)
    value = part.v_proj(x)
    found = functional.scaled_dot_product_attention(
        query[None, None], key[None, None], value[None, None], scale=part.scaling
    )
    result: torch.Tensor = part.o_proj(found[0, 0])
    return result


def _keys(part: Any, placed: torch.Tensor, frames: int, axes: torch.Tensor) -> torch.Tensor:
    """Return the keys of memories with positions [tokens, c], as [C, tokens].

    Args:
        frames: how many frames come first; the tokens after them are not rotated.
        axes: cos and sin, [2, C / 2, cells].
    """
    keys = torch.addmm(part.k_proj.bias[:, None], part.k_proj.weight, placed.T)
    cos, sin = axes[:, :, None]
    cells = axes.shape[2]
    pairs = keys[:, : frames * cells].view(len(keys) // 2, 2, frames, cells)
    first, second = pairs.unbind(1)
    turned = (first * cos).addcmul_(second, sin, value=-1)
    second.mul_(cos).addcmul_(first, sin)
    first.copy_(turned)
    return keys


def _look_back(
    part: Any, x: torch.Tensor, keys: torch.Tensor, memory: torch.Tensor, turns: torch.Tensor
) -> torch.Tensor:
    """Return the attention of tokens [cells, C] to memories [tokens, c] with keys [C, tokens]."""
    queries = rotated(part.q_proj(x), turns) * part.scaling
    averages = averaged(queries, keys, memory)
    bias = functional.linear(part.v_proj.bias, part.o_proj.weight, part.o_proj.bias)
    return functional.linear(averages, part.o_proj.weight @ part.v_proj.weight, bias)


def averaged(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return averages of values [m, c] by the softmax of their scores, [n, c].

    Args:
        queries: scaled, [n, C].
        keys: [C, m].
    """
    count = max(SCORES // keys.shape[1] // 64, 1) * 64
    averages = values.new_empty(len(queries), values.shape[1])
    room = queries.new_empty(min(count, len(queries)), keys.shape[1])
    for some, found in zip(torch.split(queries, count), torch.split(averages, count), strict=True):
        scores = torch.mm(some, keys, out=room[: len(some)])
        torch.softmax(scores, 1, out=scores)
        torch.mm(scores, values, out=found)
    return averages


def rotated(x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """Return tokens [n, C] with their pairs of neighbouring channels rotated.

    Args:
        turns: e to the power of i times the angle, complex [n, C / 2].
    """
    pairs = torch.view_as_complex(x.view(len(x), -1, 2))
    return torch.view_as_real(pairs * turns).view(x.shape)
