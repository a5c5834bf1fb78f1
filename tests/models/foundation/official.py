"""Official checkpoints for tests: key lists by rule, and the reference outputs' own."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
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

SAM2 = {
    "tiny": (96, (1, 2, 7, 2), 7),
    "small": (96, (1, 2, 11, 2), 7),
    "base+": (112, (2, 3, 16, 3), 14),
    "large": (144, (2, 6, 36, 4), 7),
}
"""Size -> channels, blocks of the stages, side of the coarse table of positions (1.1)."""

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


def sam2_shapes(size: str, version: str = "2.1") -> Shapes:
    """Official key -> shape of SAM 2, written down from the tables; `version` is 2.0 or 2.1."""
    shapes: Shapes = {
        "maskmem_tpos_enc": (7, 1, 1, 64),
        "no_mem_embed": (1, 1, 256),
        "no_mem_pos_enc": (1, 1, 256),
        "no_obj_ptr": (1, 256),
    }
    shapes |= _layer("mask_downsample", 1, 1, 4, 4) | _mlp("obj_ptr_proj", 256, 256, 256, 256)
    if version == "2.1":
        shapes |= {"no_obj_embed_spatial": (1, 64)} | _layer("obj_ptr_tpos_proj", 64, 256)
    for part, inside in {
        "image_encoder.trunk": _sam2_trunk(size),
        "sam_prompt_encoder": _sam2_prompts(),
        "sam_mask_decoder": _sam2_decoder(),
        "memory_attention": _sam2_memory_attention(),
        "memory_encoder": _sam2_memory_encoder(),
    }.items():
        shapes |= {f"{part}.{key}": shape for key, shape in inside.items()}
    for n in range(4):
        shapes |= _layer(f"image_encoder.neck.convs.{n}.conv", 256, SAM2[size][0] << 3 - n, 1, 1)
    return shapes


def _sam2_trunk(size: str) -> Shapes:
    channels, stages, coarse = SAM2[size]
    shapes: Shapes = {
        "pos_embed": (1, channels, coarse, coarse),
        "pos_embed_window": (1, channels, 8, 8),
    }
    shapes |= _layer("patch_embed.proj", channels, 3, 7, 7)
    before, n = channels, 0
    for stage, blocks in enumerate(stages):
        c = channels << stage
        for _ in range(blocks):
            block = f"blocks.{n}"
            shapes |= _layer(f"{block}.norm1", before) | _layer(f"{block}.norm2", c)
            shapes |= _layer(f"{block}.attn.qkv", 3 * c, before) | _layer(
                f"{block}.attn.proj", c, c
            )
            shapes |= _mlp(f"{block}.mlp", c, 4 * c, c)
            if before != c:
                shapes |= _layer(f"{block}.proj", c, before)
            before, n = c, n + 1
    return shapes


def _sam2_prompts() -> Shapes:
    shapes: Shapes = {"pe_layer.positional_encoding_gaussian_matrix": (2, 128)}
    vectors = [f"point_embeddings.{n}" for n in range(4)] + ["not_a_point_embed", "no_mask_embed"]
    shapes |= {f"{key}.weight": (1, 256) for key in vectors}
    down = "mask_downscaling"
    shapes |= _layer(f"{down}.0", 4, 1, 2, 2) | _layer(f"{down}.1", 4)
    shapes |= _layer(f"{down}.3", 16, 4, 2, 2) | _layer(f"{down}.4", 16)
    return shapes | _layer(f"{down}.6", 256, 16, 1, 1)


def _sam2_decoder() -> Shapes:
    tokens = {"iou_token": 1, "mask_tokens": 4, "obj_score_token": 1}
    shapes: Shapes = {f"{key}.weight": (count, 256) for key, count in tokens.items()}
    for n in range(2):
        layer = f"transformer.layers.{n}"
        shapes |= _sam2_attention(f"{layer}.self_attn", 256, 256)
        shapes |= _sam2_attention(f"{layer}.cross_attn_token_to_image", 128, 256)
        shapes |= _sam2_attention(f"{layer}.cross_attn_image_to_token", 128, 256)
        shapes |= _mlp(f"{layer}.mlp", 256, 2048, 256)
        for norm in range(1, 5):
            shapes |= _layer(f"{layer}.norm{norm}", 256)
    shapes |= _sam2_attention("transformer.final_attn_token_to_image", 128, 256)
    shapes |= _layer("transformer.norm_final_attn", 256)
    shapes |= {"output_upscaling.0.weight": (256, 64, 2, 2), "output_upscaling.0.bias": (64,)}
    shapes |= _layer("output_upscaling.1", 64)
    shapes |= {"output_upscaling.3.weight": (64, 32, 2, 2), "output_upscaling.3.bias": (32,)}
    shapes |= _layer("conv_s0", 32, 256, 1, 1) | _layer("conv_s1", 64, 256, 1, 1)
    for n in range(4):
        shapes |= _mlp(f"output_hypernetworks_mlps.{n}", 256, 256, 256, 32)
    shapes |= _mlp("iou_prediction_head", 256, 256, 256, 4)
    return shapes | _mlp("pred_obj_score_head", 256, 256, 256, 1)


def _sam2_memory_attention() -> Shapes:
    shapes = _layer("norm", 256)
    for n in range(4):
        layer = f"layers.{n}"
        shapes |= _sam2_attention(f"{layer}.self_attn", 256, 256)
        shapes |= _sam2_attention(f"{layer}.cross_attn_image", 256, 64)
        shapes |= _layer(f"{layer}.linear1", 2048, 256) | _layer(f"{layer}.linear2", 256, 2048)
        for norm in (1, 2, 3):
            shapes |= _layer(f"{layer}.norm{norm}", 256)
    return shapes


def _sam2_memory_encoder() -> Shapes:
    shapes = _layer("pix_feat_proj", 256, 256, 1, 1) | _layer("out_proj", 64, 256, 1, 1)
    for n in range(4):
        steps, c = "mask_downsampler.encoder", 4 ** (n + 1)
        shapes |= _layer(f"{steps}.{3 * n}", c, c // 4, 3, 3) | _layer(f"{steps}.{3 * n + 1}", c)
    shapes |= _layer("mask_downsampler.encoder.12", 256, 256, 1, 1)
    for n in range(2):
        layer = f"fuser.layers.{n}"
        shapes |= {f"{layer}.gamma": (256,)} | _layer(f"{layer}.norm", 256)
        shapes |= _layer(f"{layer}.dwconv", 256, 1, 7, 7)
        shapes |= _layer(f"{layer}.pwconv1", 1024, 256) | _layer(f"{layer}.pwconv2", 256, 1024)
    return shapes


def _sam2_attention(name: str, inner: int, keys: int) -> Shapes:
    """Queries of 256 channels to keys and values of `keys` channels."""
    shapes = _layer(f"{name}.q_proj", inner, 256) | _layer(f"{name}.out_proj", 256, inner)
    return shapes | _layer(f"{name}.k_proj", inner, keys) | _layer(f"{name}.v_proj", inner, keys)


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


def _layer(name: str, *weight: int) -> Shapes:
    """Weight and bias of a layer whose bias is as long as its weight's first axis."""
    return _both({name: weight}, weight[0])


def _mlp(name: str, *channels: int) -> Shapes:
    """Linear layers in a row."""
    shapes: Shapes = {}
    for n, (before, after) in enumerate(pairwise(channels)):
        shapes |= _layer(f"{name}.layers.{n}", after, before)
    return shapes
