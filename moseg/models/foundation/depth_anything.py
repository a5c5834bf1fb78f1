"""Depth Anything V2 (Yang et al., "Depth Anything V2", NeurIPS 2024), relative disparity.

The metric checkpoints have the same keys and shapes but another last layer and meaning; they
are not supported, and a folder that says it holds one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import convert_conv2d_weight_memory_format
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation

from moseg.core.errors import BackendError
from moseg.models.foundation import dinov2
from moseg.models.foundation.loading import Weights, load
from moseg.models.foundation.official_names import KeyTable, OfficialNames
from moseg.models.foundation.positions import use_official_positions
from moseg.models.foundation.preprocess import PATCH
from moseg.models.strict import load_strict

Upsampling = Literal["bicubic", "bilinear"]

BACKBONE = "pretrained."
"""Prefix of the DINOv2 part of official checkpoints."""

LEVELS = 4
"""Depths of the backbone at which the head taps it; each has its own resolution."""


@dataclass(frozen=True)
class Head:
    """What the head of a size looks like.

    Attributes:
        taps: how many blocks have run where the backbone is tapped.
        levels: channels of each tap once projected.
        fused: channels in which levels are merged.
    """

    taps: tuple[int, int, int, int]
    levels: tuple[int, int, int, int]
    fused: int


HEADS = {
    384: Head((3, 6, 9, 12), (48, 96, 192, 384), 64),
    768: Head((3, 6, 9, 12), (96, 192, 384, 768), 128),
    1024: Head((5, 12, 18, 24), (256, 512, 1024, 1024), 256),
}
"""By channels of the backbone."""


def build(weights: Weights) -> DepthAnythingForDepthEstimation:
    """Return the network, any size, with the official interpolation of positions.

    Args:
        weights: an official file (`depth_anything_v2_vit{s,b,l}.pth`) or a folder.

    Raises:
        BackendError: the weights are of another network.
    """
    network = load(DepthAnythingForDepthEstimation, weights, _from_official)
    dinov2.check_patches(network, weights)
    if network.config.depth_estimation_type != "relative":
        raise BackendError(
            f"{weights.path} gives metric depth, where large is far; "
            "use a checkpoint of relative depth"
        )
    kind = network.backbone.config.model_type
    if kind != "dinov2":
        raise BackendError(f"{weights.path} has a backbone of type {kind} instead of dinov2")
    use_official_positions(network.backbone.embeddings)
    return network


def _from_official(
    tensors: Mapping[str, torch.Tensor], what: str
) -> DepthAnythingForDepthEstimation:
    size = dinov2.find_size(tensors, what, BACKBONE)
    if size.channels not in HEADS:
        raise BackendError(
            f"{what} has a backbone of {size.channels} channels; Depth Anything V2 was published "
            f"with {', '.join(map(str, HEADS))}"
        )
    with torch.device("meta"):
        network = DepthAnythingForDepthEstimation(make_config(size))
    load_strict(OfficialNames(network, key_table(size)), tensors, what)
    return network


def make_config(size: dinov2.Size) -> DepthAnythingConfig:
    """Return the library's description of the network of a size."""
    head = HEADS[size.channels]
    return DepthAnythingConfig(
        backbone_config=dinov2.make_config(size, list(head.taps)),
        patch_size=PATCH,
        reassemble_hidden_size=size.channels,
        neck_hidden_sizes=list(head.levels),
        fusion_hidden_size=head.fused,
    )


def key_table(size: dinov2.Size) -> KeyTable:
    """Return official key -> keys of `DepthAnythingForDepthEstimation` in memory."""
    table = {
        BACKBONE + official: tuple(f"backbone.{key}" for key in keys)
        for official, keys in dinov2.key_table(size).items()
    }
    scratch, neck = "depth_head.scratch", "neck"
    layers = {f"{scratch}.output_conv1": "head.conv1"}
    layers |= {f"{scratch}.output_conv2.{2 * i}": f"head.conv{2 + i}" for i in range(2)}
    for i in range(LEVELS):
        reassembled = f"{neck}.reassemble_stage.layers.{i}"
        layers[f"depth_head.projects.{i}"] = f"{reassembled}.projection"
        if i != 2:
            layers[f"depth_head.resize_layers.{i}"] = f"{reassembled}.resize"
        old, new = f"{scratch}.refinenet{i + 1}", f"{neck}.fusion_stage.layers.{LEVELS - 1 - i}"
        layers[f"{old}.out_conv"] = f"{new}.projection"
        for unit in (1, 2):
            for conv in (1, 2):
                layers[f"{old}.resConfUnit{unit}.conv{conv}"] = (
                    f"{new}.residual_layer{unit}.convolution{conv}"
                )
        table[f"{scratch}.layer{i + 1}_rn.weight"] = (f"{neck}.convs.{i}.weight",)
    for kind in ("weight", "bias"):
        table |= {f"{old}.{kind}": (f"{new}.{kind}",) for old, new in layers.items()}
    return table


class DisparityNetwork(nn.Module):
    """Runs the library's layers in an order that holds little at a time.

    The library keeps the tokens after every block and every merged level; here tokens are kept
    at the four taps alone, and each level is dropped once it is merged. Convolutions run on
    channels-last memory, which tokens have by nature.

    Args:
        network: shares its layers, whose memory layout changes.
    """

    def __init__(self, network: DepthAnythingForDepthEstimation) -> None:
        super().__init__()
        self.backbone = network.backbone
        self.neck = network.neck
        self.head = network.head
        for part in (self.neck, self.head):
            convert_conv2d_weight_memory_format(part, torch.channels_last)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return disparity float32 [B, h, w], >= 0, for pixels [B, 3, h, w]; larger is nearer."""
        return self.logits(pixels).relu_()

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return disparity before negative values are cut off, float32 [B, h, w].

        Under autocast the last layers and all that is at full resolution stay in float32.
        """
        grid = pixels.shape[2] // PATCH, pixels.shape[3] // PATCH
        merged = self.head.conv1(self._merged(self._taps(pixels), grid))
        with torch.autocast(pixels.device.type, enabled=False):
            full = functional.interpolate(
                merged.float(), size=pixels.shape[2:], mode="bilinear", align_corners=True
            )
            del merged
            full = self.head.conv2(full).relu_()
            # A convolution to one channel rounds differently for another number of threads.
            last = self.head.conv3
            assert last.bias is not None
            return torch.sum(full.mul_(last.weight[0]), dim=1) + last.bias

    def _taps(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Return the normalised tokens [B, N, C] of the taps, the shallowest first."""
        tokens = self.backbone.embeddings(pixels)
        taps = []
        for done, block in enumerate(self.backbone.encoder.layer, start=1):
            tokens = block(tokens)
            if done in self.backbone.config.out_indices:
                taps.append(self.backbone.layernorm(tokens)[:, 1:])
        return taps

    def _merged(self, taps: list[torch.Tensor], grid: tuple[int, int]) -> torch.Tensor:
        """Merge the taps from the deepest, doubling: [B, C, 8 * rows, 8 * columns].

        Projections run before the doubling, with which they commute, on a quarter of the cells.
        """
        merges: Any = self.neck.fusion_stage.layers
        merged: torch.Tensor | None = None
        for doublings, merge in enumerate(merges):
            local = self._local(LEVELS - 1 - doublings, taps.pop(), grid)
            if merged is not None:
                local = merged + merge.residual_layer1(local)
            merged = functional.interpolate(
                merge.projection(merge.residual_layer2(local)),
                size=[2**doublings * side for side in grid],
                mode="bilinear",
                align_corners=True,
            )
        assert merged is not None
        return merged

    def _local(self, level: int, tokens: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        """Return a tap's tokens [B, N, C] as a map at its level's own resolution."""
        reassemble: Any = self.neck.reassemble_stage.layers[level]
        convolve: Any = self.neck.convs[level]
        cells = tokens.transpose(1, 2).reshape(len(tokens), -1, *grid)
        local: torch.Tensor = convolve(reassemble(cells))
        return local


def at_image_size(
    disparity: torch.Tensor, size: Sequence[int], upsample: Upsampling
) -> torch.Tensor:
    """Resample disparity float32 [B, h, w] to the frames' size.

    Args:
        upsample: `bicubic` as SegAnyMo (corners not aligned), `bilinear` as the authors (aligned).
    """
    return functional.interpolate(
        disparity[:, None], size=list(size), mode=upsample, align_corners=upsample == "bilinear"
    )[:, 0]
