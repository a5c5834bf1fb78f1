"""From frames to what the foundation models take, with PyTorch alone.

All take RGB uint8 [B, H, W, 3] and give float32 [B, 3, h, w], normalised by ImageNet's mean
and deviation, on the device of the frames.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch.nn import functional

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
PATCH = 14
"""Sides of images are multiples of it."""

DepthResize = Literal["lower_bound", "minimal"]


def depth_size(height: int, width: int, side: int, resize: DepthResize) -> tuple[int, int]:
    """Return the size at which Depth Anything sees a frame; the aspect is nearly kept.

    Args:
        side: 518 as published.
        resize: `lower_bound`: both sides are at least `side` (the authors' code). `minimal`:
            the one side that then changes less becomes `side` (the library's pipeline, with
            which SegAnyMo made its depth).
    """
    scales = side / height, side / width
    if resize == "lower_bound":
        scale = max(scales)
        return _multiple(height * scale, side), _multiple(width * scale, side)
    scale = min(scales, key=lambda each: abs(1 - each))
    return _multiple(height * scale, PATCH), _multiple(width * scale, PATCH)


def depth_pixels(rgb: torch.Tensor, side: int, resize: DepthResize) -> torch.Tensor:
    """Return what Depth Anything takes.

    `lower_bound` samples with the cubic kernel of OpenCV (a = -0.75) whatever the scale;
    `minimal` as Pillow does: a = -0.5, widened where the frame shrinks, in whole levels, which
    PyTorch offers on the CPU alone.
    """
    size = depth_size(rgb.shape[1], rgb.shape[2], side, resize)
    levels = rgb.permute(0, 3, 1, 2)
    if resize == "lower_bound":
        return _normalised(_resized(levels / 255, size, "bicubic", antialias=False))
    resized = _resized(levels.cpu(), size, "bicubic", antialias=True)
    return _normalised(resized.to(rgb.device) / 255)


def dino_pixels(rgb: torch.Tensor) -> torch.Tensor:
    """Return what DINOv2 takes: both sides raised to multiples of 14, bilinear with antialias."""
    height, width = rgb.shape[1:3]
    size = math.ceil(height / PATCH) * PATCH, math.ceil(width / PATCH) * PATCH
    levels = rgb.permute(0, 3, 1, 2)
    return _normalised(_resized(levels / 255, size, "bilinear", antialias=True))


def _multiple(length: float, least: int) -> int:
    nearest = round(length / PATCH) * PATCH
    return nearest if nearest >= least else math.ceil(length / PATCH) * PATCH


def _resized(
    image: torch.Tensor, size: tuple[int, int], mode: str, *, antialias: bool
) -> torch.Tensor:
    return functional.interpolate(
        image, size=size, mode=mode, align_corners=False, antialias=antialias
    )


def _normalised(image: torch.Tensor) -> torch.Tensor:
    mean = image.new_tensor(MEAN).view(3, 1, 1)
    deviation = image.new_tensor(DEVIATION).view(3, 1, 1)
    return (image - mean) / deviation
