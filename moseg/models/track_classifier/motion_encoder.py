"""The motion encoder: what a track does over time, seen beside all other tracks.

Frames of a track and tracks of a frame attend in turn, with the same weights. Tracks attend
frame by frame and frames a few tracks at a time, so that memory is a few copies of the
features [N, L, 16] and time is that of the fused attention over tracks, L * N^2 scores a layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from moseg.models.track_classifier.attention import Attention
from moseg.models.track_classifier.features import track_features
from moseg.models.track_classifier.kernels import Kernels
from moseg.models.track_classifier.options import DINO_CHANNELS, EMBEDDING, Options
from moseg.models.track_classifier.slices import by_rows, in_order

HEADS = 4
FEEDFORWARD = 64
LAYERS = 2


class Visible:
    """Which tracks take part in attention, in which frames.

    A track that is hidden in every frame takes part in the first.

    Attributes:
        keep: bool [N, L].
        rows: for each frame, the tracks that take part, int64.

    Raises:
        ValueError: a frame in which no track takes part.
    """

    def __init__(self, hidden: Tensor) -> None:
        self.keep = hidden <= 0.5
        self.keep[:, 0] |= ~self.keep.any(dim=1)
        counts = self.keep.sum(dim=0).tolist()
        if 0 in counts:
            raise ValueError(f"no track is visible in frame {counts.index(0)}")
        self.rows = torch.split(self.keep.T.nonzero()[:, 1], counts)


class Layer(nn.Module):
    """What encoder and decoder layers share: attention over frames, then over tracks."""

    def __init__(self, options: Options, kernels: Kernels) -> None:
        super().__init__()
        self.time_att = options.time_att
        self.kernels = kernels
        self.self_attn = Attention(EMBEDDING, HEADS, kernels.usual)
        self.linear1 = nn.Linear(EMBEDDING, FEEDFORWARD)
        self.linear2 = nn.Linear(FEEDFORWARD, EMBEDDING)

    def over_frames(self, x: Tensor, visible: Visible, norm: nn.Module) -> Tensor:
        """Let the frames of each track attend to those in which it is visible, [N, L, 16]."""

        def step(part: Tensor, keep: Tensor) -> Tensor:
            result: Tensor = norm(part + self.self_attn(part, self.self_attn.answers(part), keep))
            return result

        return by_rows(step, x, visible.keep)

    def over_tracks(self, x: Tensor, visible: Visible, norm: nn.Module) -> Tensor:
        """Let the tracks of each frame attend to those visible in it, [N, L, 16]."""
        if not self.time_att:
            return x

        def step(number: int) -> Tensor:
            frame = x[:, number].unsqueeze(0)
            # Only the keys that take part: exact, without a mask, and less to compute.
            answers = self.self_attn.answers(frame[:, visible.rows[number]])
            result: Tensor = norm(
                frame + self.self_attn(frame, answers, attend=self.kernels.tracks)
            )
            return result.squeeze(0)

        return torch.stack(in_order(step, range(x.shape[1]), x.device), dim=1)

    def feedforward(self, x: Tensor) -> Tensor:
        """Return the two linear layers' output for x [..., 16]."""
        result: Tensor = self.linear2(F.relu(self.linear1(x)))
        return result


class EncoderLayer(Layer):
    """Frames, tracks, feed-forward; normalised after each."""

    def __init__(self, options: Options, kernels: Kernels) -> None:
        super().__init__(options, kernels)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(EMBEDDING) for _ in range(3))

    def forward(self, x: Tensor, visible: Visible) -> Tensor:
        """Return [N, L, 16]."""
        x = self.over_frames(x, visible, self.norm1)
        x = self.over_tracks(x, visible, self.norm3)
        return by_rows(lambda part: self.norm2(part + self.feedforward(part)), x)


class DecoderLayer(Layer):
    """As `EncoderLayer`, with attention to all frames of the same track in the encoder's output."""

    def __init__(self, options: Options, kernels: Kernels) -> None:
        super().__init__(options, kernels)
        self.multihead_attn = Attention(EMBEDDING, HEADS, kernels.usual)
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(EMBEDDING) for _ in range(4))

    def forward(self, x: Tensor, memory: Tensor, visible: Visible) -> Tensor:
        """Return [N, L, 16]."""
        x = self.over_frames(x, visible, self.norm1)
        x = self.over_tracks(x, visible, self.norm4)
        return by_rows(self._finish, x, memory)

    def _finish(self, x: Tensor, memory: Tensor) -> Tensor:
        # Hidden frames are asked as well: the released weights were trained so.
        x = self.norm2(x + self.multihead_attn(x, self.multihead_attn.answers(memory)))
        result: Tensor = self.norm3(x + self.feedforward(x))
        return result


class Stack(nn.Module):
    """Layers and the norm after the last."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(EMBEDDING)


class TransformerModel(nn.Module):
    """Encoder and decoder, both on the same input."""

    def __init__(self, options: Options, kernels: Kernels) -> None:
        super().__init__()
        self.encoder = Stack([EncoderLayer(options, kernels) for _ in range(LAYERS)])
        self.decoder = Stack([DecoderLayer(options, kernels) for _ in range(LAYERS)])

    def forward(self, x: Tensor, visible: Visible) -> Tensor:
        """Return [N, L, 16]."""
        memory = x
        for layer in self.encoder.layers:
            memory = layer(memory, visible)
        memory = self.encoder.norm(memory)
        for layer in self.decoder.layers:
            x = layer(x, memory, visible)
        result: Tensor = self.decoder.norm(x)
        return result


class MotionEncoder(nn.Module):
    """Sums up each track in 16 numbers."""

    def __init__(self, options: Options, kernels: Kernels) -> None:
        super().__init__()
        self.options = options
        early = DINO_CHANNELS * (options.dino_place == "frames")
        self.input_fc1 = nn.Conv2d(options.track_channels + early, EMBEDDING, 1)
        self.fc2 = nn.Conv2d(EMBEDDING, EMBEDDING, 1)
        self.transformer_model = TransformerModel(options, kernels)

    def forward(
        self,
        position: Tensor,
        hidden: Tensor,
        depth: Tensor | None,
        visibility: Tensor | None,
        confidence: Tensor | None,
        dino: Tensor | None,
    ) -> Tensor:
        """Return [N, 16]; arguments as in `track_features`.

        Args:
            dino: [N, 768], or None where the options do not have it in every frame.

        Raises:
            ValueError: no track is visible in some frame.
        """
        visible = Visible(hidden)
        x = by_rows(self._enter, position, hidden, depth, visibility, confidence, dino)
        # Hidden frames count here as well: the released weights were trained so.
        summary: Tensor = self.transformer_model(x, visible).amax(dim=1)
        return summary

    def _enter(
        self,
        position: Tensor,
        hidden: Tensor,
        depth: Tensor | None,
        visibility: Tensor | None,
        confidence: Tensor | None,
        dino: Tensor | None,
    ) -> Tensor:
        """Return the transformer's input [n, L, 16] for a few tracks."""
        values = track_features(self.options, position, hidden, depth, visibility, confidence)
        weight = self.input_fc1.weight.flatten(1)
        x = F.linear(values, weight[:, : values.shape[-1]], self.input_fc1.bias)
        if dino is not None:
            # The same in all frames of a track, so its part of the layer is computed once.
            x = x + F.linear(dino, weight[:, values.shape[-1] :]).unsqueeze(1)
        x = F.linear(F.relu(x), self.fc2.weight.flatten(1), self.fc2.bias)
        return F.relu(x)
