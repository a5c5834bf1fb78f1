"""The mixer: what carries 98 % of the arithmetic of tracking.

Each of twelve blocks mixes neighbouring frames of one point and one channel (two convolutions
over time, with four hidden channels to a channel), then the channels of one point and frame
(two matrix products). Points never mix.

The convolutions are sums of shifted slabs [T, N, 512]: with time as the slowest axis a shift
in time is an offset in memory, and on a CPU this runs ten times faster than PyTorch's depthwise
convolutions. The second one is followed by a sum over the four hidden channels, so all twelve
of its terms are added to the one slab that goes on, and the 2048 hidden channels never exist
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 512
EXPANSION = 4
BLOCKS = 12
TAPS = 3
_FIRST_TAP = -1
"""Where the first tap reads, frames from its own; with a memory in front all is two later."""


@dataclass(frozen=True)
class BlockMemory:
    """What a causal block remembers of the last two frames.

    Attributes:
        inputs: what its first convolution reads, float32 [2, N, 512].
        hidden: what its second one reads, [2, N, 512] for each of the four hidden channels.
    """

    inputs: Tensor
    hidden: Sequence[Tensor]

    @classmethod
    def empty(cls, points: int, device: torch.device) -> BlockMemory:
        """Return the memory of no frame."""
        zeros = torch.zeros(TAPS - 1, points, WIDTH, device=device)
        return cls(zeros, [zeros] * EXPANSION)


class Mixer(nn.Module):
    """MLP-mixer over the frames of a point.

    Args:
        inputs: numbers that go in for each point and frame.
        outputs: numbers that come out.
        causal: whether a frame depends on earlier frames alone.
    """

    def __init__(self, inputs: int, outputs: int, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.linear = nn.Linear(inputs, WIDTH)
        self.blocks = nn.ModuleList(MixerBlock() for _ in range(BLOCKS))
        self.layer_norm = _scaled_norm()
        self.linear_1 = nn.Linear(WIDTH, outputs)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Compute the wide matrix products in `dtype`.

        Sums, norms, the convolutions over time and the last layer, which gives pixels, stay
        in float32.
        """
        self.linear.to(dtype)
        for block in self.blocks:
            block.conv_channels_mixer.to(dtype)

    def forward(self, tokens: Tensor, budget: int) -> Tensor:
        """Mix whole clips.

        Args:
            tokens: float32 [T, N, inputs].
            budget: how many tokens are mixed at once, at least one point's.

        Returns:
            float32 [T, N, outputs].
        """
        parts = torch.split(tokens, max(1, budget // len(tokens)), dim=1)
        if self.causal:
            return torch.cat([self.resume(p, self.no_memory(p.shape[1]))[0] for p in parts], 1)
        return torch.cat([self._mix(p, [None] * BLOCKS)[0] for p in parts], 1)

    def no_memory(self, points: int) -> list[BlockMemory]:
        """Return what a causal mixer remembers before the first frame."""
        return [BlockMemory.empty(points, self.linear_1.weight.device)] * BLOCKS

    def resume(
        self, tokens: Tensor, memory: Sequence[BlockMemory]
    ) -> tuple[Tensor, list[BlockMemory]]:
        """Mix the next frames of a stream, causally.

        Args:
            tokens: float32 [T, N, inputs].
            memory: what the last call returned, or `no_memory`.

        Returns:
            float32 [T, N, outputs], and the memory for the next call.
        """
        mixed, kept = self._mix(tokens, memory)
        return mixed, [one for one in kept if one is not None]

    def _mix(
        self, tokens: Tensor, memory: Sequence[BlockMemory | None]
    ) -> tuple[Tensor, list[BlockMemory | None]]:
        x = self.linear(tokens.to(self.linear.weight.dtype)).float()
        kept = [block(x, past) for block, past in zip(self.blocks, memory, strict=True)]
        return self.linear_1(self.layer_norm(x)), kept


class MixerBlock(nn.Module):
    """One block: over frames, then over channels."""

    def __init__(self) -> None:
        super().__init__()
        hidden = EXPANSION * WIDTH
        self.layer_norm = _scaled_norm()
        # These two only hold the weights; outputs 4c .. 4c + 3 of the first read channel c.
        self.mlp1_up = nn.Conv1d(WIDTH, hidden, TAPS, groups=WIDTH)
        self.mlp1_up_1 = nn.Conv1d(hidden, hidden, TAPS, groups=hidden)
        self.layer_norm_1 = _scaled_norm()
        self.conv_channels_mixer = ChannelsMixer()

    def forward(self, x: Tensor, memory: BlockMemory | None) -> BlockMemory | None:
        """Mix float32 [T, N, 512] in place.

        Args:
            memory: of the frames before, which makes the block causal; None: frames to both
                sides are read.

        Returns:
            What to remember, if there was a memory.
        """
        kept = self._mix_frames(x, memory)
        x += self.conv_channels_mixer(self.layer_norm_1(x))
        return kept

    def _mix_frames(self, x: Tensor, memory: BlockMemory | None) -> BlockMemory | None:
        up, up_bias = _by_hidden_channel(self.mlp1_up)
        down, down_bias = _by_hidden_channel(self.mlp1_up_1)
        y = self.layer_norm(x)
        x += down_bias.sum(0)
        first = _FIRST_TAP
        if memory is not None:
            y, first = torch.cat((memory.inputs, y)), 0
        kept = []
        for channel in range(EXPANSION):
            h = torch.addcmul(up_bias[channel], y[first + 1 :][: len(x)], up[channel, 1])
            for tap in (0, 2):
                _add_shifted(h, y, up[channel, tap], first + tap)
            h = F.gelu(h, approximate="tanh")
            if memory is not None:
                h = torch.cat((memory.hidden[channel], h))
                kept.append(h[1 - TAPS :].clone())
            for tap in range(TAPS):
                _add_shifted(x, h, down[channel, tap], first + tap)
        return BlockMemory(y[1 - TAPS :].clone(), kept) if memory is not None else None


class ChannelsMixer(nn.Module):
    """A hidden layer over the channels of each token."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp2_up = nn.Linear(WIDTH, EXPANSION * WIDTH)
        self.mlp2_down = nn.Linear(EXPANSION * WIDTH, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return what is to be added to tokens [..., 512]."""
        hidden = self.mlp2_up(tokens.to(self.mlp2_up.weight.dtype))
        mixed: Tensor = self.mlp2_down(F.gelu(hidden, approximate="tanh"))
        return mixed


def _scaled_norm() -> nn.LayerNorm:
    return nn.LayerNorm(WIDTH, eps=1e-5, bias=False)


def _by_hidden_channel(conv: nn.Conv1d) -> tuple[Tensor, Tensor]:
    """Return taps [4, 3, 512] and biases [4, 512] of a depthwise convolution."""
    taps = conv.weight.view(WIDTH, EXPANSION, TAPS).permute(1, 2, 0).contiguous()
    assert conv.bias is not None
    return taps, conv.bias.view(WIDTH, EXPANSION).t().contiguous()


def _add_shifted(total: Tensor, terms: Tensor, factor: Tensor, shift: int) -> None:
    """Add to total[t] what terms[t + shift] times factor [512] is; nothing lies outside."""
    start, stop = max(0, -shift), min(len(total), len(terms) - shift)
    total[start:stop].addcmul_(terms[start + shift : stop + shift], factor)
