"""What the motion encoder sees of each track in each frame."""

from __future__ import annotations

import torch
from torch import Tensor

from moseg.models.track_classifier.options import Options

OCTAVES = 10


def position_code(point: Tensor) -> Tensor:
    """Return [..., 42]: the point [..., 2], then sines and cosines of 1, 2, 4, ... 512 times it.

    The order is u, v, sin u, sin v, cos u, cos v, sin 2u, ...
    """
    factors = 2.0 ** torch.arange(OCTAVES, device=point.device, dtype=point.dtype)
    scaled = point.unsqueeze(-2) * factors[:, None]
    waves = torch.stack([scaled.sin(), scaled.cos()], dim=-2)
    return torch.cat([point, waves.flatten(-3)], dim=-1)


def track_features(
    options: Options,
    position: Tensor,
    hidden: Tensor,
    depth: Tensor | None,
    visibility: Tensor | None,
    confidence: Tensor | None,
) -> Tensor:
    """Return [N, L, C], C = `options.track_channels`; what the options leave out may be None.

    Args:
        position: [N, L, 2], -1..1.
        hidden: [N, L], 1 where the track is not visible, else 0.
        depth, visibility, confidence: [N, L], 0..1.
    """
    seen = 1 - hidden.unsqueeze(-1)
    parts = []
    if options.tracks:
        motion = _change(position, seen)
        parts = [position, motion]
        if options.pos_embed:
            parts = [position_code(position), position_code(motion)]
    if options.depths:
        values = _needed(depth, "depth")
        parts += [values, _change(values, seen)]
    if options.tracks and options.extra_info:
        parts += [_needed(visibility, "visibility"), _needed(confidence, "confidence")]
    return torch.cat(parts, dim=-1)


def _needed(values: Tensor | None, name: str) -> Tensor:
    if values is None:
        raise ValueError(f"the options of this network need {name}")
    return values.unsqueeze(-1)


def _change(values: Tensor, seen: Tensor) -> Tensor:
    """Return the step to the next frame [N, L, C]; 0 where that is hidden, and in the last frame.

    Whether the track is visible before the step does not matter.
    """
    steps = (values[:, 1:] - values[:, :-1]) * seen[:, 1:]
    return torch.cat([steps, torch.zeros_like(values[:, :1])], dim=1)
