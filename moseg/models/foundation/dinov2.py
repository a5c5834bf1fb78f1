"""DINOv2 (Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import Dinov2Config, Dinov2Model, PreTrainedModel

from moseg.core.errors import BackendError
from moseg.models.foundation.loading import Weights, load
from moseg.models.foundation.official_names import KeyTable, OfficialNames
from moseg.models.foundation.positions import token_grid, use_official_positions
from moseg.models.foundation.preprocess import PATCH
from moseg.models.strict import load_strict

IMAGE_SIDE = 518
"""Side of the images of the last training phase: 37 x 37 positions."""


@dataclass(frozen=True)
class Size:
    """One of the published sizes; every attention head has 64 channels.

    Attributes:
        channels: of a token.
        layers: transformer blocks.
        gated: whether the blocks' feed-forward part is a gated one (SwiGLU).
    """

    channels: int
    layers: int
    gated: bool = False

    @property
    def heads(self) -> int:
        """Attention heads of a block."""
        return self.channels // 64


SIZES = {
    size.channels: size
    for size in (Size(384, 12), Size(768, 12), Size(1024, 24), Size(1536, 40, gated=True))
}
"""By channels; called small, base, large and giant."""


def build(weights: Weights) -> Dinov2Model:
    """Return DINOv2 without registers, any size, with the official interpolation of positions.

    Args:
        weights: an official file (`dinov2_vit{s,b,l,g}14_pretrain.pth`) or a folder.

    Raises:
        BackendError: the weights are of another network.
    """
    network = load(Dinov2Model, weights, _from_official)
    check_patches(network, weights)
    use_official_positions(network.embeddings)
    return network


def check_patches(network: PreTrainedModel, weights: Weights) -> None:
    """Make sure that a network cuts the patches that moseg prepares its pixels for.

    Raises:
        BackendError: it cuts others, as the folder of another network may say.
    """
    patch = getattr(network.config, "patch_size", None)
    if patch != PATCH:
        raise BackendError(f"{weights.path} cuts patches of {patch} pixels instead of {PATCH}")


def _from_official(tensors: Mapping[str, torch.Tensor], what: str) -> Dinov2Model:
    size = find_size(tensors, what)
    with torch.device("meta"):
        network = Dinov2Model(make_config(size))
    load_strict(OfficialNames(network, key_table(size)), tensors, what)
    return network


def find_size(tensors: Mapping[str, torch.Tensor], what: str, prefix: str = "") -> Size:
    """Return which of the published sizes an official checkpoint has, by its tensors' shapes.

    Raises:
        BackendError: it is no DINOv2, or one with register tokens.
    """
    if f"{prefix}register_tokens" in tensors:
        raise BackendError(
            f"{what} has register tokens, which this network lacks; "
            "use the checkpoint without registers"
        )
    token = tensors.get(f"{prefix}cls_token")
    if token is None:
        raise BackendError(f"{what} has no {prefix}cls_token; use the right checkpoint")
    size = SIZES.get(token.shape[-1] if token.ndim else 0)
    if size is None:
        raise BackendError(
            f"{what}: {prefix}cls_token has the shape {tuple(token.shape)}, but its last number "
            f"must be one of {', '.join(map(str, SIZES))}; use the right checkpoint"
        )
    return size


def make_config(size: Size, out_indices: list[int] | None = None) -> Dinov2Config:
    """Return the library's description of a size, for use as a backbone where taps are given."""
    settings: dict[str, Any] = {"out_indices": out_indices, "attn_implementation": "sdpa"}
    return Dinov2Config(
        hidden_size=size.channels,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        use_swiglu_ffn=size.gated,
        image_size=IMAGE_SIDE,
        patch_size=PATCH,
        reshape_hidden_states=False,
        **settings,
    )


def key_table(size: Size) -> KeyTable:
    """Return official key -> keys of `Dinov2Model` in memory."""
    table: dict[str, tuple[str, ...]] = {
        "cls_token": ("embeddings.cls_token",),
        "pos_embed": ("embeddings.position_embeddings",),
        "mask_token": ("embeddings.mask_token",),
    }
    linear = {"patch_embed.proj": ["embeddings.patch_embeddings.projection"]}
    for n in range(size.layers):
        old, new = f"blocks.{n}", f"encoder.layer.{n}"
        for i in (1, 2):
            linear[f"{old}.norm{i}"] = [f"{new}.norm{i}"]
            table[f"{old}.ls{i}.gamma"] = (f"{new}.layer_scale{i}.lambda1",)
        linear[f"{old}.attn.qkv"] = [f"{new}.attention.{part}_proj" for part in "qkv"]
        linear[f"{old}.attn.proj"] = [f"{new}.attention.o_proj"]
        if size.gated:
            linear[f"{old}.mlp.w12"] = [f"{new}.mlp.gate_proj", f"{new}.mlp.up_proj"]
            linear[f"{old}.mlp.w3"] = [f"{new}.mlp.down_proj"]
        else:
            linear[f"{old}.mlp.fc1"] = [f"{new}.mlp.fc1"]
            linear[f"{old}.mlp.fc2"] = [f"{new}.mlp.fc2"]
    linear["norm"] = ["layernorm"]
    for old, parts in linear.items():
        for kind in ("weight", "bias"):
            table[f"{old}.{kind}"] = tuple(f"{part}.{kind}" for part in parts)
    return table


class KeyFeatures(nn.Module):
    """Keys of one block as dense features on a fine grid, as SegAnyMo (CVPR 2025) reads them.

    After Amir et al., "Deep ViT Features as Dense Visual Descriptors", 2021. Only what stands
    before those keys is kept: later blocks, and the rest of the block that is read, are neither
    run nor held.

    Args:
        network: is taken apart and must not be used afterwards.
        stride: pixels between patches of 14 pixels.
        block: the block that is read, 0 the first; None the last.

    Raises:
        BackendError: there is no such block.
    """

    def __init__(self, network: Dinov2Model, stride: int = 7, block: int | None = None) -> None:
        super().__init__()
        count = len(network.encoder.layer)
        block = count - 1 if block is None else block
        if not 0 <= block < count:
            raise BackendError(
                f"block {block} of a network of {count} blocks; use 0 to {count - 1}"
            )
        last: Any = network.encoder.layer[block]
        self.embeddings = network.embeddings
        self.embeddings.patch_embeddings.projection.stride = (stride, stride)
        self.blocks = network.encoder.layer[:block]
        self.norm: nn.LayerNorm = last.norm1
        self.key: nn.Linear = last.attention.k_proj
        self.heads = network.config.num_attention_heads
        self.channels = network.config.hidden_size
        self.stride = stride

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, rows, columns, C] of pixels [B, 3, h, w] as `dino_pixels` gives them.

        Channel d * heads + head is number d of that head's key. Token (i, j) is centred at
        pixel (stride * j + 7, stride * i + 7) of the resized image. The class token is left out.
        """
        tokens: torch.Tensor = self.embeddings(pixels)
        for block in self.blocks:
            tokens = block(tokens)
        keys: torch.Tensor = self.key(self.norm(tokens[:, 1:]))
        grid = token_grid(pixels.shape[2], pixels.shape[3], PATCH, self.stride)
        by_head = keys.float().reshape(len(pixels), -1, self.heads, self.channels // self.heads)
        return by_head.transpose(2, 3).reshape(len(pixels), *grid, self.channels)
