"""SAM 2 and 2.1 (Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024), for videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig

from moseg.core.errors import BackendError
from moseg.models.foundation.loading import Weights, load
from moseg.models.foundation.official_names import KeyTable, OfficialNames
from moseg.models.foundation.sam2_names import COPIES, key_table
from moseg.models.strict import load_strict

if TYPE_CHECKING:
    from transformers import EdgeTamVideoModel

TRUNK = "image_encoder.trunk."
"""Prefix of the image encoder in official checkpoints."""
TELLS_OCCLUSION = "no_obj_embed_spatial"
"""Official key that 2.1 has and 2.0 lacks."""


@dataclass(frozen=True)
class Size:
    """The image encoder of one of the published sizes; every stage doubles channels and heads.

    Attributes:
        name: what its authors call it.
        channels: of the first stage.
        heads: attention heads of the first stage.
        blocks: of each stage.
        whole: the blocks that look at the whole image instead of windows.
        windows: their sides in cells, by stage.
        background: side of the coarse table of positions, in cells.
    """

    name: str
    channels: int
    heads: int
    blocks: tuple[int, int, int, int]
    whole: tuple[int, int, int]
    windows: tuple[int, int, int, int] = (8, 4, 14, 7)
    background: int = 7

    @property
    def widening(self) -> tuple[int, ...]:
        """The first block of every stage but the first."""
        return tuple(accumulate(self.blocks[:-1]))


SIZES = (
    Size("tiny", 96, 1, (1, 2, 7, 2), (5, 7, 9)),
    Size("small", 96, 1, (1, 2, 11, 2), (7, 10, 13)),
    Size("base+", 112, 2, (2, 3, 16, 3), (12, 16, 20), background=14),
    Size("large", 144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8)),
)
"""The smaller before the larger among those of as many channels."""


def build(weights: Weights) -> Sam2VideoModel:
    """Return SAM 2 or 2.1, any size, in float32 on the CPU, for inference.

    Args:
        weights: an official file (`sam2_hiera_*.pt`, `sam2.1_hiera_*.pt`) or a folder.

    Raises:
        BackendError: the weights are of another network.
    """
    network = load(Sam2VideoModel, weights, from_official)
    if weights.form == "folder":
        _check_all_used(network, weights.path)
    return network


def _check_all_used(network: Sam2VideoModel, folder: Path) -> None:
    """Make sure that the network has every tensor of the folder it was loaded from.

    The image encoder's class tells the library to pass over those of memories and object
    pointers in silence, which would let the weights of a 2.1 through as a 2.0.
    """
    stored: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="pt") as tensors:
            stored.update(tensors.keys())
    constants = {key for key, _ in network.named_buffers()}
    unused = stored - network.state_dict().keys() - constants
    if unused:
        raise BackendError(
            f"{folder} has unexpected keys, such as {min(unused)}; use the right checkpoint"
        )


def from_official(tensors: Mapping[str, torch.Tensor], what: str) -> Sam2VideoModel:
    """Return the network of an official checkpoint in float32 on the CPU, for inference.

    Size and version follow from keys and shapes. Tensors are used as they are, not copied, where
    the network holds them alike.

    Args:
        tensors: by official key, without the `model` around them.
        what: the checkpoint, for the error.

    Raises:
        BackendError: they are of another network, or do not fit; official keys are named.
    """
    size, temporal = find_size(tensors, what), TELLS_OCCLUSION in tensors
    config = make_config(size, temporal)
    with torch.device("meta"):
        network = Sam2VideoModel(config)
    fill(network, key_table(sum(size.blocks), size.widening, temporal), tensors, what)
    return network


def fill(
    network: Sam2VideoModel | EdgeTamVideoModel,
    table: KeyTable,
    tensors: Mapping[str, torch.Tensor],
    what: str,
) -> None:
    """Give a network on the meta device the tensors of an official checkpoint, for inference.

    Raises:
        BackendError: they do not fit; official keys are named.
    """
    # Holds constants that are in no checkpoint, so it has to be made where there are values.
    memory_attention: Any = type(network.memory_attention)
    network.memory_attention = memory_attention(network.config)
    load_strict(OfficialNames(network, table, COPIES), tensors, what)
    network.train(False)
    network.requires_grad_(False)


def find_size(tensors: Mapping[str, torch.Tensor], what: str) -> Size:
    """Return which of the published sizes an official checkpoint has, by its keys and shapes.

    Raises:
        BackendError: it is no SAM 2.
    """
    key = f"{TRUNK}patch_embed.proj.weight"
    projection = tensors.get(key)
    if projection is None:
        raise BackendError(f"{what} has no {key}; use the right checkpoint")
    sizes = [size for size in SIZES if size.channels == (*projection.shape, 0)[0]]
    if not sizes:
        known = ", ".join(map(str, dict.fromkeys(size.channels for size in SIZES)))
        raise BackendError(
            f"{what}: {key} has the shape {tuple(projection.shape)}, but its first number must "
            f"be one of {known}; use the right checkpoint"
        )
    smallest = sizes[0]
    more = any(key.startswith(f"{TRUNK}blocks.{sum(smallest.blocks)}.") for key in tensors)
    return sizes[-1] if more else smallest


def make_config(size: Size, temporal: bool) -> Sam2VideoConfig:
    """Return the library's description of a network.

    Args:
        temporal: whether it is a SAM 2.1, which tells occlusion and the age of object pointers.
    """
    channels = [size.channels * 2**stage for stage in range(4)]
    trunk = Sam2HieraDetConfig(
        hidden_size=size.channels,
        num_attention_heads=size.heads,
        blocks_per_stage=list(size.blocks),
        embed_dim_per_stage=channels,
        num_attention_heads_per_stage=[size.heads * 2**stage for stage in range(4)],
        window_size_per_stage=list(size.windows),
        window_positional_embedding_background_size=[size.background] * 2,
        global_attention_blocks=list(size.whole),
    )
    return Sam2VideoConfig(
        vision_config=Sam2VisionConfig(backbone_config=trunk, backbone_channel_list=channels[::-1]),
        enable_occlusion_spatial_embedding=temporal,
        enable_temporal_pos_encoding_for_object_pointers=temporal,
    )
