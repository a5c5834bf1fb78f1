"""Networks of the foundation models' kinds, with official positions, small enough for any test."""

from __future__ import annotations

import torch
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    Dinov2Model,
    PreTrainedModel,
)

from moseg.models.foundation.positions import use_official_positions


def small_dinov2(seed: int = 0, blocks: int = 3, **changes: object) -> Dinov2Model:
    """DINOv2 of 32 channels and 4 heads; positions as in the real ones."""
    network = _random(Dinov2Model(_config(blocks, **changes)), seed)
    use_official_positions(network.embeddings)
    return network


def small_depth(seed: int = 0, **changes: object) -> DepthAnythingForDepthEstimation:
    """Depth Anything on 5 blocks of 32 channels, tapped after blocks 1, 2, 3 and 5."""
    settings = {
        "backbone_config": _config(5, out_indices=[1, 2, 3, 5], reshape_hidden_states=False),
        "reassemble_hidden_size": 32,
        "neck_hidden_sizes": [8, 12, 16, 20],
        "fusion_hidden_size": 16,
        **changes,
    }
    config = DepthAnythingConfig(**settings)
    network = _random(DepthAnythingForDepthEstimation(config), seed)
    use_official_positions(network.backbone.embeddings)
    return network


def _config(blocks: int, **changes: object) -> Dinov2Config:
    settings = {
        "hidden_size": 32,
        "num_hidden_layers": blocks,
        "num_attention_heads": 4,
        "image_size": 518,
        "attn_implementation": "sdpa",
        **changes,
    }
    return Dinov2Config(**settings)


def _random(network: PreTrainedModel, seed: int) -> PreTrainedModel:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.named_parameters():
            noise = torch.randn(value.shape, generator=generator)
            fan_in = max(value[0].numel(), 1)
            scaled = noise / fan_in**0.5 if value.ndim > 1 else 0.3 * noise
            value.copy_(scaled + 1 if value.ndim == 1 and name.endswith("weight") else scaled)
    return network.eval().requires_grad_(False)
