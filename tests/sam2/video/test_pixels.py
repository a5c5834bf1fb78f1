"""Frames as SAM 2 takes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from moseg.sam2.video.pixels import sam2_pixels, square_levels


@pytest.mark.parametrize("size", [(48, 64), (300, 500), (128, 128), (31, 700)])
def test_levels_are_those_of_pillow(size):
    rgb = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    levels = square_levels(torch.from_numpy(rgb), 128)
    assert levels.dtype == torch.uint8
    for n in range(2):
        image = Image.fromarray(rgb[n]).resize((128, 128), Image.Resampling.BICUBIC)
        difference = levels[n].permute(1, 2, 0).numpy().astype(int) - np.asarray(image).astype(int)
        assert abs(difference).max() <= 2
        assert abs(difference).mean() < 0.05


def test_pixels_are_normalised():
    rgb = np.full((1, 10, 12, 3), (0, 128, 255), np.uint8)
    pixels = sam2_pixels(torch.from_numpy(rgb), 16, torch.device("cpu"))
    assert pixels.shape == (1, 3, 16, 16)
    assert pixels.dtype == torch.float32
    expected = [-0.485 / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert np.allclose(pixels[0].mean((1, 2)), expected, atol=1e-5)
