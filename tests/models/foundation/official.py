"""Official checkpoints for tests: key lists by rule, and the reference outputs' own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch

from moseg.checkpoints.weights import Weights
from tests import parity

DINOV2 = {"s": (384, 12), "b": (768, 12), "l": (1024, 24), "g": (1536, 40)}
"""Size -> channels, blocks (specs/foundation.md, 1.2)."""
DEPTH_HEADS = {
    "s": ((48, 96, 192, 384), 64),
    "b": ((96, 192, 384, 768), 128),
    "l": ((256, 512, 1024, 1024), 256),
}
"""Size -> channels of the levels, channels in which they are merged (1.3)."""

Shapes = dict[str, tuple[int, ...]]


def dinov2_shapes(size: str) -> Shapes:
    """Official key -> shape of DINOv2, written down from the tables."""
    c, blocks = DINOV2[size]
    shapes: Shapes = {
        "cls_token": (1, 1, c),
        "pos_embed": (1, 1 + 37 * 37, c),
        "mask_token": (1, c),
        "patch_embed.proj.weight": (c, 3, 14, 14),
        "patch_embed.proj.bias": (c,),
    }
    for n in range(blocks):
        own: Shapes = {"ls1.gamma": (c,), "ls2.gamma": (c,)}
        own |= _both({"norm1": (c,), "norm2": (c,)}, c)
        own |= _both({"attn.qkv": (3 * c, c)}, 3 * c) | _both({"attn.proj": (c, c)}, c)
        if size == "g":
            own |= _both({"mlp.w12": (8192, c)}, 8192) | _both({"mlp.w3": (c, 4096)}, c)
        else:
            own |= _both({"mlp.fc1": (4 * c, c)}, 4 * c) | _both({"mlp.fc2": (c, 4 * c)}, c)
        shapes |= {f"blocks.{n}.{key}": shape for key, shape in own.items()}
    return shapes | _both({"norm": (c,)}, c)


def depth_anything_shapes(size: str) -> Shapes:
    """Official key -> shape of Depth Anything V2."""
    c, (levels, fused) = DINOV2[size][0], DEPTH_HEADS[size]
    shapes = {f"pretrained.{key}": shape for key, shape in dinov2_shapes(size).items()}
    resizes = {0: (4, 4), 1: (2, 2), 3: (3, 3)}
    head: Shapes = {}
    for i, level in enumerate(levels):
        head |= _both({f"projects.{i}": (level, c, 1, 1)}, level)
        if i in resizes:
            head |= _both({f"resize_layers.{i}": (level, level, *resizes[i])}, level)
        head[f"scratch.layer{i + 1}_rn.weight"] = (fused, level, 3, 3)
        net = f"scratch.refinenet{i + 1}"
        head |= _both({f"{net}.out_conv": (fused, fused, 1, 1)}, fused)
        for unit in (1, 2):
            for conv in (1, 2):
                name = f"{net}.resConfUnit{unit}.conv{conv}"
                head |= _both({name: (fused, fused, 3, 3)}, fused)
    half = fused // 2
    head |= _both({"scratch.output_conv1": (half, fused, 3, 3)}, half)
    head |= _both({"scratch.output_conv2.0": (32, half, 3, 3)}, 32)
    head |= _both({"scratch.output_conv2.2": (1, 32, 1, 1)}, 1)
    return shapes | {f"depth_head.{key}": shape for key, shape in head.items()}


def official(tensors: dict[str, torch.Tensor], name: str = "some.pth") -> Weights:
    """Tensors as an official file's."""
    return Weights(Path(name), "official", tensors, {})


def unreal(shapes: Shapes) -> dict[str, torch.Tensor]:
    """Tensors that have shapes and no values."""
    return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}


def cases(prefix: str) -> list[Any]:
    """Every reference output of every kind whose name begins so; one skipped case for none."""
    kinds = sorted(path.name for path in parity.FIXTURES.glob(f"{prefix}*") if path.is_dir())
    return [
        pytest.param(*case.values, id=f"{kind}-{case.id}", marks=case.marks)
        for kind in kinds or [prefix]
        for case in parity.cases(kind)
    ]


@lru_cache(maxsize=4)
def filled(kind: str) -> Weights:
    """The official checkpoint of a kind of reference output."""
    return official(parity.filled(kind, parity.key_list(kind)), kind)


def step_to(whole: int, part: int) -> int:
    """Return the step at which `whole` values were left out to keep `part` of them."""
    return next(step for step in range(1, whole + 1) if len(range(0, whole, step)) == part)


def _both(layers: Shapes, bias: int) -> Shapes:
    """Weight and bias of layers."""
    shapes: Shapes = {}
    for name, weight in layers.items():
        shapes |= {f"{name}.weight": weight, f"{name}.bias": (bias,)}
    return shapes
