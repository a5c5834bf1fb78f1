"""From frames to what SAM 2 takes, with PyTorch alone."""

from __future__ import annotations

import torch
from torch.nn import functional

from moseg.models.foundation.preprocess import DEVIATION, MEAN


def square_levels(rgb: torch.Tensor, side: int) -> torch.Tensor:
    """Return frames resized to `side` x `side`, the aspect not kept, as Pillow's bicubic does.

    In whole levels, within 2 of Pillow's, as the reference reads image folders.

    Args:
        rgb: uint8 [B, H, W, 3], on the CPU: PyTorch resizes whole levels there alone.

    Returns:
        uint8 [B, 3, side, side].
    """
    return functional.interpolate(
        rgb.permute(0, 3, 1, 2),
        size=(side, side),
        mode="bicubic",
        align_corners=False,
        antialias=True,
    )


def sam2_pixels(rgb: torch.Tensor, side: int, device: torch.device) -> torch.Tensor:
    """Return float32 [B, 3, side, side] on `device`, normalised by ImageNet's mean and deviation.

    Args:
        rgb: uint8 [B, H, W, 3], on the CPU.
    """
    image = square_levels(rgb, side).to(device) / 255
    mean = image.new_tensor(MEAN).view(3, 1, 1)
    deviation = image.new_tensor(DEVIATION).view(3, 1, 1)
    return (image - mean) / deviation
