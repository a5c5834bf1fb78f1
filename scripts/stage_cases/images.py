"""Depth and features: batches of ours, one image at a time, or all images in one batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import DepthAnythingForDepthEstimation, Dinov2Model

from moseg.models.foundation import depth_anything, dinov2
from moseg.models.foundation.positions import use_official_positions
from moseg.models.foundation.preprocess import depth_pixels, dino_pixels
from moseg.preproc.depths.depth_anything import DepthAnythingParams
from moseg.preproc.dinos.dinov2 import Dinov2Params
from moseg.preproc.queries.draw import grid_points
from stage_cases.common import Measured, Setting, per_batch, read_frames


def _depth(setting: Setting) -> DepthAnythingForDepthEstimation:
    torch.manual_seed(0)
    channels = {"small": 384, "base": 768, "large": 1024}[setting.size]
    config = depth_anything.make_config(dinov2.SIZES[channels])
    network = DepthAnythingForDepthEstimation(config)
    network.train(False)
    network.requires_grad_(False)
    use_official_positions(network.backbone.embeddings)
    nn.Module.to(network, setting.device)
    return network


def depths_ours(setting: Setting) -> Measured:
    """Batches as the stage makes them, through our own order of the layers."""
    network = depth_anything.DisparityNetwork(_depth(setting))
    return _depths(setting, network, DepthAnythingParams().batch)


def depths_single(setting: Setting) -> Measured:
    """One image at a time through the library's own call, as the reference does."""
    network = _depth(setting)
    return _depths(setting, lambda pixels: network(pixel_values=pixels).predicted_depth, batch=1)


def depths_naive(setting: Setting) -> Measured:
    """All images in one batch through the library's own call."""
    network = _depth(setting)
    return _depths(
        setting, lambda pixels: network(pixel_values=pixels).predicted_depth, setting.frames
    )


def _depths(setting: Setting, network: Callable[[Tensor], Tensor], batch: int) -> Measured:
    rgb = torch.from_numpy(read_frames(setting)).to(setting.device)
    low = setting.precision == "bfloat16"

    def compute(frames: Tensor) -> Tensor:
        with torch.autocast(torch.device(setting.device).type, torch.bfloat16, enabled=low):
            disparity = network(depth_pixels(frames, 518, "minimal")).float()
        return depth_anything.at_image_size(disparity, frames.shape[1:3], "bicubic").cpu()

    return per_batch(setting, rgb, compute, batch)


def _dino(setting: Setting) -> Dinov2Model:
    torch.manual_seed(0)
    network = Dinov2Model(dinov2.make_config(dinov2.SIZES[768]))
    network.train(False)
    network.requires_grad_(False)
    use_official_positions(network.embeddings)
    nn.Module.to(network, setting.device)
    return network


def features_ours(setting: Setting) -> Measured:
    """Stopped at the keys that are read, sampled at the points."""
    network = dinov2.KeyFeatures(_dino(setting))
    return _features(setting, network, Dinov2Params().batch, points=True)


def features_single(setting: Setting) -> Measured:
    """The whole network, one image at a time, whole maps kept, as the reference does."""
    return _features(setting, _whole_dino(setting), batch=1, points=False)


def features_naive(setting: Setting) -> Measured:
    """The whole network, all query frames in one batch."""
    return _features(setting, _whole_dino(setting), batch=setting.frames, points=False)


def _whole_dino(setting: Setting) -> Callable[[Tensor], Tensor]:
    network = _dino(setting)
    network.embeddings.patch_embeddings.projection.stride = (7, 7)
    caught: list[Tensor] = []
    last: Any = network.encoder.layer[-1]
    key = last.attention.k_proj
    key.register_forward_hook(lambda module, inputs, output: caught.append(output))

    def run(pixels: Tensor) -> Tensor:
        network(pixel_values=pixels)
        keys = caught.pop()[:, 1:].float()
        by_head = keys.reshape(len(keys), keys.shape[1], 12, 64).transpose(2, 3)
        rows, columns = (1 + (side - 14) // 7 for side in pixels.shape[2:])
        return by_head.reshape(len(keys), rows, columns, 768)

    return run


def _features(
    setting: Setting, network: Callable[[Tensor], Tensor], batch: int, points: bool
) -> Measured:
    rgb = torch.from_numpy(read_frames(setting)).to(setting.device)
    grid = grid_points(*rgb.shape[1:3])
    low = setting.precision == "bfloat16"

    def compute(frames: Tensor) -> Tensor:
        with torch.autocast(torch.device(setting.device).type, torch.bfloat16, enabled=low):
            maps = network(dino_pixels(frames)).half().cpu()
        return sample(maps) if points else maps

    def sample(maps: Tensor) -> Tensor:
        rows, columns = maps.shape[1:3]
        cells = (grid / np.array(rgb.shape[2:0:-1]) * [columns, rows]).astype(np.int64)
        return maps[:, cells[:, 1], cells[:, 0]]

    found = per_batch(setting, rgb, compute, batch)
    if not points:
        found.output = sample(torch.from_numpy(found.output)).numpy()
    return found
