"""Sizes and pixels that the foundation models see."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers.models.dpt.image_processing_pil_dpt import get_resize_output_image_size

from moseg.models.foundation.preprocess import (
    DEVIATION,
    MEAN,
    depth_pixels,
    depth_size,
    dino_pixels,
)

MEANS, DEVIATIONS = np.array(MEAN)[:, None, None], np.array(DEVIATION)[:, None, None]


def picture(height, width, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.0)


def levels(pixels):
    """Undo the normalisation: 0..255 [H, W, 3]."""
    return ((pixels[0].numpy() * DEVIATIONS + MEANS) * 255).transpose(1, 2, 0)


@pytest.mark.parametrize(
    ("frame", "lower_bound", "minimal"),
    [
        ((480, 854), (518, 924), (518, 924)),
        ((1080, 1920), (518, 924), (518, 924)),
        ((240, 320), (518, 686), (392, 518)),
        ((400, 600), (518, 784), (350, 518)),
        ((360, 640), (518, 924), (294, 518)),
        ((640, 360), (924, 518), (518, 294)),
        ((518, 518), (518, 518), (518, 518)),
        ((1, 1), (518, 518), (518, 518)),
        ((1, 200), (518, 103600), (14, 518)),
    ],
)
def test_sizes_of_the_table(frame, lower_bound, minimal):
    assert depth_size(*frame, 518, "lower_bound") == lower_bound
    assert depth_size(*frame, 518, "minimal") == minimal


sides = st.integers(1, 2000)


@settings(deadline=None)
@given(height=sides, width=sides, side=st.integers(14, 700))
def test_sizes_in_general(height, width, side):
    for rule in ("lower_bound", "minimal"):
        size = depth_size(height, width, side, rule)
        assert size[0] % 14 == size[1] % 14 == 0
        assert min(size) >= 14
        assert size[::-1] == depth_size(width, height, side, rule)
        # The aspect is kept to within the rounding of both sides, half a patch or a whole one.
        exact = max(side / height, side / width)
        if rule == "lower_bound":
            assert min(size) >= side
            assert abs(size[0] - height * exact) < 14 + 1e-6
            assert abs(size[1] - width * exact) < 14 + 1e-6


@settings(deadline=None)
@given(height=st.integers(20, 1500), width=st.integers(20, 1500))
def test_minimal_is_the_library_s_size(height, width):
    image = np.broadcast_to(np.uint8(0), (3, height, width))
    expected = get_resize_output_image_size(image, (518, 518), True, 14)
    found = depth_size(height, width, 518, "minimal")
    assert found == (max(expected["height"], 14), max(expected["width"], 14))


@pytest.mark.parametrize("size", [(60, 88), (480, 270), (300, 301)])
def test_lower_bound_is_opencv_s_cubic(size):
    rgb = picture(*size)
    pixels = depth_pixels(torch.from_numpy(rgb)[None], 126, "lower_bound")
    height, width = pixels.shape[2:]
    expected = cv2.resize(rgb / 255.0, (width, height), interpolation=cv2.INTER_CUBIC)
    assert pixels.dtype == torch.float32
    assert abs(levels(pixels) / 255 - expected).max() < 2e-4


@pytest.mark.parametrize("size", [(60, 88), (480, 270), (300, 301)])
def test_minimal_is_pillow_s_bicubic(size):
    rgb = picture(*size)
    pixels = depth_pixels(torch.from_numpy(rgb)[None], 126, "minimal")
    height, width = pixels.shape[2:]
    expected = np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC))
    difference = abs(levels(pixels) - expected)
    assert difference.max() < 2 + 1e-3
    assert difference.mean() < 0.01


def test_dino_sides_are_raised_to_whole_patches():
    rgb = picture(66, 94)
    pixels = dino_pixels(torch.from_numpy(rgb)[None])
    assert pixels.shape == (1, 3, 70, 98)
    image = Image.fromarray(rgb).resize((98, 70), Image.Resampling.BILINEAR)
    assert abs(levels(pixels) - np.asarray(image)).max() < 1
    same = dino_pixels(torch.from_numpy(picture(28, 42))[None])
    assert abs(levels(same) - picture(28, 42)).max() < 1e-3


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (14, 15)])
def test_tiny_frames(size):
    rgb = torch.from_numpy(picture(*size))[None]
    assert dino_pixels(rgb).shape[2:] == tuple(-(-side // 14) * 14 for side in size)
    assert depth_pixels(rgb, 28, "lower_bound").isfinite().all()
    assert depth_pixels(rgb, 28, "minimal").isfinite().all()


def test_frames_of_a_batch_keep_their_order():
    rgb = np.stack([picture(40, 60, seed) for seed in range(3)])
    batch = torch.from_numpy(rgb)
    for make in (
        dino_pixels,
        lambda x: depth_pixels(x, 56, "lower_bound"),
        lambda x: depth_pixels(x, 56, "minimal"),
    ):
        together = make(batch)
        for frame in range(3):
            assert torch.allclose(together[frame], make(batch[frame : frame + 1])[0], atol=1e-5)
