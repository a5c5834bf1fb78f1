"""Networks of the real shape with made-up weights, and small clips for them."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from moseg.models.tapir.model import Tapir
from moseg.models.tapir.variant import load_tapir


@lru_cache
@torch.inference_mode(mode=False)
def made_up(pyramid_levels: int = 0, extra_convs: bool = False) -> dict[str, Tensor]:
    """Return weights under which layers neither fade out nor blow up; not to be changed."""
    with torch.device("meta"):
        shapes = {k: v.shape for k, v in Tapir(pyramid_levels, extra_convs).state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for key, shape in shapes.items():
        noise = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            weights[key] = noise / shape[1:].numel() ** 0.5
        else:
            weights[key] = 0.1 * noise + (1 if key.endswith("weight") else 0)
    return weights


def small_network(causal: bool = False, pyramid_levels: int = 1) -> Tapir:
    """Return a network that searches at 64x64 pixels."""
    weights = made_up(pyramid_levels)
    return load_tapir(weights, "made up", causal, initial_resolution=(64, 64))


def moving_clip(frames: int, side: int = 64, step: int = 2) -> Tensor:
    """Return uint8 [T, side, side, 3]: a smooth texture that moves right `step` pixels a frame."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, side // 8, side // 4, generator=generator)
    size = (side, 2 * side)
    texture = torch.nn.functional.interpolate(coarse, size, mode="bicubic").clamp(0, 1)[0]
    image = (texture * 255).byte().permute(1, 2, 0)
    starts = [side - step * t for t in range(frames)]
    return torch.stack([image[:, start : start + side] for start in starts])


def spread_points(count: int, frames: int, side: int = 64) -> Tensor:
    """Return float32 [N, 3] (frame, y, x) with whole frames."""
    generator = torch.Generator().manual_seed(2)
    points = torch.rand(count, 3, generator=generator) * torch.tensor([frames, side, side])
    points[:, 0] = points[:, 0].floor()
    return points
