"""The transformer decoder: tracks compare their motion and appearance with each other's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from moseg.models.track_classifier.attention import Attention
from moseg.models.track_classifier.kernels import Attend
from moseg.models.track_classifier.options import WIDTH
from moseg.models.track_classifier.slices import by_rows

HEADS = 8
FEEDFORWARD = 512
BLOCKS = 4


class EncoderBlock(nn.Module):
    """Attention, then a feed-forward layer that also takes what is `beside` the tracks."""

    def __init__(self, beside: int, attend: Attend) -> None:
        super().__init__()
        self.attention = Attention(WIDTH, HEADS, attend)
        self.ffn = _feedforward(WIDTH + beside)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, beside: Tensor | None) -> Tensor:
        """Return [N, 128] for x of the same shape and `beside` [N, C]."""
        answers = by_rows(self.attention.answers, x)

        def step(part: Tensor, features: Tensor | None) -> Tensor:
            part = self.norm1(part + _ask(self.attention, part, answers))
            joined = part if features is None else torch.cat([part, features], dim=-1)
            result: Tensor = self.norm2(part + self.ffn(joined))
            return result

        return by_rows(step, x, beside)


class DecoderBlock(nn.Module):
    """Attention, attention to the encoder's output, feed-forward."""

    def __init__(self, attend: Attend) -> None:
        super().__init__()
        self.self_attention = Attention(WIDTH, HEADS, attend)
        self.cross_attention = Attention(WIDTH, HEADS, attend)
        self.ffn = _feedforward(WIDTH)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(WIDTH) for _ in range(3))

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """Return [N, 128] for x and memory of the same shape."""
        own = by_rows(self.self_attention.answers, x)
        encoded = by_rows(self.cross_attention.answers, memory)

        def step(part: Tensor) -> Tensor:
            part = self.norm1(part + _ask(self.self_attention, part, own))
            part = self.norm2(part + _ask(self.cross_attention, part, encoded))
            result: Tensor = self.norm3(part + self.ffn(part))
            return result

        return by_rows(step, x)


class Embedding(nn.Module):
    """Widens the input of the decoder."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(channels, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Return [..., 128]."""
        widened: Tensor = self.embedding(x)
        return widened


class TransformerDecoder(nn.Module):
    """Logits from what is known of each track.

    Args:
        channels: of the input.
        beside: channels of features that enter in the feed-forward layers; 0 for none.
        attend: kernel.
    """

    def __init__(self, channels: int, beside: int, attend: Attend) -> None:
        super().__init__()
        self.embedding = Embedding(channels)
        self.encoders = nn.ModuleList(EncoderBlock(beside, attend) for _ in range(BLOCKS))
        self.decoders = nn.ModuleList(DecoderBlock(attend) for _ in range(BLOCKS))
        self.output_layer = nn.Linear(WIDTH, 1)

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """Return logits [N] for input [N, channels] and features [N, C] or None."""
        start = by_rows(self.embedding, x)
        memory = answer = start
        for block in self.encoders:
            memory = block(memory, beside)
        for block in self.decoders:
            answer = block(answer, memory)
        return by_rows(self.output_layer, answer).squeeze(1)


def _ask(attention: Attention, x: Tensor, answers: Tensor) -> Tensor:
    """Return what a few tracks [n, 128] learn from all, whose keys and values are [N, 256]."""
    result: Tensor = attention(x.unsqueeze(0), answers.unsqueeze(0))
    return result.squeeze(0)


def _feedforward(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, FEEDFORWARD), nn.ReLU(), nn.Linear(FEEDFORWARD, WIDTH))
