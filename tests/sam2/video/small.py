"""A SAM 2 and an EdgeTAM small enough for any test, and frames for them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import (
    EdgeTamVideoConfig,
    EdgeTamVideoModel,
    EdgeTamVisionConfig,
    Sam2HieraDetConfig,
    Sam2VideoConfig,
    Sam2VideoModel,
    Sam2VisionConfig,
)

from moseg.core.device import Device
from moseg.sam2.video.driver import Sam2Predictor
from moseg.sam2.video.settings import VideoSettings

SIDE = 128
"""Pixels of the network's images."""
WIDTH = 128
"""Channels; twice those of memories, which the library fixes at 64."""
SIZE = 40, 56
"""Height and width of frames and masks."""
CPU = Device("cpu")


def small_sam2(seed: int = 0, **changes: object) -> Sam2VideoModel:
    """SAM 2.1 with random weights: 5 blocks, 128 channels, images of 128 pixels."""
    channels = [8, 16, 32, 64]
    grid = SIDE // 16
    trunk = Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=channels,
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[8, 4, 4, 4],
        window_positional_embedding_background_size=[7, 7],
        global_attention_blocks=[3],
    )
    vision = Sam2VisionConfig(
        backbone_config=trunk,
        backbone_channel_list=channels[::-1],
        backbone_feature_sizes=[[grid * 4, grid * 4], [grid * 2, grid * 2], [grid, grid]],
        fpn_hidden_size=WIDTH,
    )
    settings = {
        "vision_config": vision,
        "prompt_encoder_config": {"hidden_size": WIDTH, "image_size": SIDE},
        "mask_decoder_config": {"hidden_size": WIDTH, "mlp_dim": 64, "iou_head_hidden_dim": 32},
        "image_size": SIDE,
        "memory_attention_hidden_size": WIDTH,
        "memory_attention_feed_forward_hidden_size": 64,
        "memory_attention_num_layers": 2,
        "memory_attention_rope_feat_sizes": [grid, grid],
        "memory_encoder_hidden_size": WIDTH,
        "mask_downsampler_embed_dim": WIDTH,
        "memory_fuser_embed_dim": WIDTH,
        "memory_fuser_intermediate_dim": 64,
        **changes,
    }
    return _random(Sam2VideoModel(Sam2VideoConfig(**settings)), seed)


def small_edgetam(seed: int = 4) -> EdgeTamVideoModel:
    """EdgeTAM with random weights, 8 vectors without and 16 with a place a memory.

    Four convolutions stand in for its image encoder, which is one of timm.
    """
    channels = [8, 16, 32, 64]
    grid = SIDE // 16
    vision = EdgeTamVisionConfig(
        backbone_config=Sam2HieraDetConfig(
            hidden_size=8,
            blocks_per_stage=[1, 1, 1, 1],
            embed_dim_per_stage=channels,
            num_attention_heads_per_stage=[1, 1, 1, 1],
            global_attention_blocks=[],
        ),
        backbone_channel_list=channels[::-1],
        backbone_feature_sizes=[[grid * 4, grid * 4], [grid * 2, grid * 2], [grid, grid]],
        fpn_hidden_size=WIDTH,
    )
    config = EdgeTamVideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": SIDE},
        mask_decoder_config={"hidden_size": WIDTH, "mlp_dim": 64, "iou_head_hidden_dim": 32},
        image_size=SIDE,
        enable_occlusion_spatial_embedding=False,
        enable_temporal_pos_encoding_for_object_pointers=False,
        memory_attention_hidden_size=WIDTH,
        memory_attention_mlp_hidden_size=64,
        memory_attention_rope_feat_sizes=[grid, grid],
        memory_attention_rope_k_sizes=[4, 4],
        perceiver_resampler_num_latents=8,
        perceiver_resampler_num_latents_2d=16,
        memory_encoder_hidden_size=WIDTH,
        mask_downsampler_embed_dim=WIDTH,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=64,
    )
    network = EdgeTamVideoModel(config)
    network.vision_encoder.backbone = _Convolutions(channels)
    return _random(network, seed)


class _Convolutions(nn.Module):
    """Features of strides 4, 8, 16 and 32, handed over as timm's are."""

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Conv2d(*of, kernel_size=stride, stride=stride)
            for of, stride in zip(pairwise([3, *channels]), (4, 2, 2, 2), strict=True)
        )

    def forward(self, pixels: torch.Tensor) -> SimpleNamespace:
        levels = []
        for stage in self.stages:
            pixels = stage(pixels).relu()
            levels.append(pixels)
        return SimpleNamespace(last_hidden_state=levels, hidden_states=None)


def save_small_sam2(folder: Path, seed: int = 0, **changes: object) -> Path:
    """Write `small_sam2` as `save_pretrained` does; return `folder`."""
    small_sam2(seed, **changes).save_pretrained(folder)
    return folder


def moving_frames(count: int, size: tuple[int, int] = SIZE) -> list[NDArray[np.uint8]]:
    """Smooth random pictures over which a bright disc moves; uint8 [H, W, 3]."""
    noise = np.random.default_rng(0).integers(0, 200, (*size, 3), np.uint8)
    still = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2.0))
    frames = []
    for t in range(count):
        centre = 8 + t % (size[1] - 16), size[0] // 2
        frames.append(np.asarray(cv2.circle(still.copy(), centre, 6, (250, 240, 60), -1)))
    return frames


def predictor(
    network: Sam2VideoModel | EdgeTamVideoModel,
    frames: list[NDArray[np.uint8]],
    folder: Path,
    device: Device = CPU,
    **settings: object,
) -> Sam2Predictor:
    """Return a predictor on frames held in memory; no window is open."""
    given = VideoSettings(**{"features": "float32", **settings})
    return Sam2Predictor(
        network, iter(frames), len(frames), frames[0].shape[:2], folder, given, device
    )


Network = TypeVar("Network", bound=nn.Module)


def _random(network: Network, seed: int) -> Network:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            noise = torch.randn(value.shape, generator=generator)
            fan_in = max(value[0].numel(), 1)
            scaled = noise / fan_in**0.5 if value.ndim > 1 else 0.3 * noise
            value.copy_(scaled + 1 if value.ndim == 1 and name.endswith("weight") else scaled)
    return network.eval().requires_grad_(False)
