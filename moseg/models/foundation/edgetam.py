"""EdgeTAM (Zhou et al., "EdgeTAM: On-Device Track Anything Model", CVPR 2025), for videos.

Its image encoder is one of timm, which moseg does not install: it needs torchvision.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import (
    EdgeTamVideoConfig,
    EdgeTamVideoModel,
    EdgeTamVisionConfig,
    TimmWrapperConfig,
)
from transformers.utils.import_utils import is_timm_available

from moseg.core.errors import BackendError
from moseg.models.foundation.edgetam_names import key_table
from moseg.models.foundation.loading import Weights, load
from moseg.models.foundation.sam2 import fill

MARK = "spatial_perceiver.latents"
"""Official key that no SAM 2 has."""


def build(weights: Weights) -> EdgeTamVideoModel:
    """Return EdgeTAM in float32 on the CPU, for inference.

    Args:
        weights: the official file (`edgetam.pt`) or a folder.

    Raises:
        BackendError: timm or torchvision is not installed, or the weights are of another network.
    """
    require_timm(weights.path)
    return load(EdgeTamVideoModel, weights, _from_official)


def require_timm(path: Path) -> None:
    """Make sure that the image encoder can be built.

    Raises:
        BackendError: timm or torchvision is not installed.
    """
    if not is_timm_available():
        raise BackendError(
            f"{path}: EdgeTAM needs timm and torchvision: pip install timm torchvision"
        )


def _from_official(tensors: Mapping[str, torch.Tensor], what: str) -> EdgeTamVideoModel:
    if MARK not in tensors:
        raise BackendError(f"{what} has no {MARK}; use the right checkpoint")
    with torch.device("meta"):
        network = EdgeTamVideoModel(make_config())
    fill(network, key_table(network.state_dict()), tensors, what)
    return network


def make_config() -> EdgeTamVideoConfig:
    """Return the library's description of the published network.

    The library's own defaults describe the image encoder of SAM 2, or a ResNet.
    """
    encoder = TimmWrapperConfig(
        architecture="repvit_m1.dist_in1k",
        model_args={"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]},
    )
    return EdgeTamVideoConfig(
        vision_config=EdgeTamVisionConfig(backbone_config=encoder),
        enable_occlusion_spatial_embedding=False,
        enable_temporal_pos_encoding_for_object_pointers=False,
    )
