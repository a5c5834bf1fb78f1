"""Depth Anything V2 against the reference's outputs, and the order in which it runs."""

from __future__ import annotations

import weakref

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from moseg.models.foundation import depth_anything
from moseg.models.foundation.depth_anything import DisparityNetwork, at_image_size
from moseg.models.foundation.preprocess import DEVIATION, MEAN, depth_pixels
from tests.models.foundation.official import cases, filled, step_to
from tests.models.foundation.small import small_depth

CASES = cases("depth_anything_v2_")


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def network_and_case(path):
    return DisparityNetwork(depth_anything.build(filled(path.parent.name))), np.load(path)


def our_pixels(case):
    rgb = torch.from_numpy(case["in_rgb"])[None]
    return depth_pixels(rgb, int(case["in_input_size"]), "lower_bound")


def official_pixels(case):
    """The official preprocessing, which is OpenCV's cubic interpolation of floats."""
    height, width = our_pixels(case).shape[2:]
    image = case["in_rgb"].astype(np.float64) / 255
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    normalised = (resized - np.array(MEAN)) / np.array(DEVIATION)
    return torch.from_numpy(normalised.transpose(2, 0, 1).astype(np.float32))[None]


@pytest.mark.parity
@pytest.mark.parametrize("path", CASES)
def test_pixels_and_disparity_from_the_image(path):
    network, case = network_and_case(path)
    pixels = our_pixels(case)
    step = step_to(pixels.shape[2], case["out_pixel_values"].shape[1])
    assert np.allclose(pixels[0, :, ::step, ::step], case["out_pixel_values"], rtol=0, atol=5e-4)
    disparity = network(pixels)
    assert np.allclose(disparity[0], case["out_depth_model"], rtol=0, atol=2e-3)
    full = at_image_size(disparity, case["in_rgb"].shape[:2], "bilinear")
    assert np.allclose(full[0], case["out_depth_image"], rtol=0, atol=2e-3)


@pytest.mark.parity
@pytest.mark.parametrize("path", CASES)
def test_disparity_from_the_official_pixels(path):
    network, case = network_and_case(path)
    pixels = official_pixels(case)
    step = step_to(pixels.shape[2], case["out_pixel_values"].shape[1])
    assert np.allclose(pixels[0, :, ::step, ::step], case["out_pixel_values"], rtol=0, atol=1e-5)
    logits = network.logits(pixels)
    step = step_to(pixels.shape[2], case["out_pre_relu"].shape[0])
    assert np.allclose(logits[0, ::step, ::step], case["out_pre_relu"], rtol=0, atol=1e-4)
    assert np.allclose(network(pixels)[0], case["out_depth_model"], rtol=0, atol=1e-4)
    full = at_image_size(network(pixels), case["in_rgb"].shape[:2], "bilinear")
    assert np.allclose(full[0], case["out_depth_image"], rtol=0, atol=1e-4)


@pytest.mark.parity
@pytest.mark.parametrize("path", CASES)
def test_the_library_s_own_positions_fail(path, monkeypatch):
    monkeypatch.setattr(depth_anything, "use_official_positions", lambda embeddings: None)
    network, case = network_and_case(path)
    pixels = official_pixels(case)
    if pixels.shape[2:] == (518, 518):
        pytest.skip("at this size positions are not resampled")
    assert abs(network(pixels)[0].numpy() - case["out_depth_model"]).max() > 5e-4


@pytest.fixture
def small():
    return small_depth()


@pytest.mark.parametrize("size", [(28, 42), (42, 70), (14, 14)])
def test_our_order_gives_what_the_library_s_gives(small, size):
    pixels = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    expected = small(pixels).predicted_depth
    assert expected.std() > 0.01
    disparity = DisparityNetwork(small)(pixels)
    assert disparity.shape == (2, *size)
    assert torch.allclose(disparity, expected, atol=1e-5)
    assert disparity.min() >= 0


def test_tokens_of_earlier_blocks_are_let_go(small):
    network = DisparityNetwork(small)
    outputs = []
    for block in network.backbone.encoder.layer:
        block.register_forward_hook(lambda m, i, output: outputs.append(weakref.ref(output)))
    alive = []
    network.neck.convs[3].register_forward_pre_hook(
        lambda *_: alive.append(sum(output() is not None for output in outputs))
    )
    network(torch.zeros(1, 3, 28, 42))
    assert len(outputs) == 5
    assert alive == [0]


def test_the_result_does_not_depend_on_the_number_of_threads(small):
    network = DisparityNetwork(small)
    pixels = torch.randn(1, 3, 140, 210, generator=torch.Generator().manual_seed(2))
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(network(pixels))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_the_last_layers_keep_full_precision(small):
    network = DisparityNetwork(small)
    kinds = []
    network.head.conv1.register_forward_hook(lambda m, i, output: kinds.append(output.dtype))
    network.head.conv2.register_forward_hook(lambda m, i, output: kinds.append(output.dtype))
    pixels = torch.randn(1, 3, 56, 56, generator=torch.Generator().manual_seed(3))
    full = network(pixels)
    with torch.autocast("cpu", torch.bfloat16):
        low = network(pixels)
    assert kinds == [torch.float32, torch.float32, torch.bfloat16, torch.float32]
    assert low.dtype == torch.float32
    assert (low - full).abs().max() < 0.05 * full.abs().max()


def test_both_ways_back_to_the_image():
    disparity = torch.rand(2, 14, 28, generator=torch.Generator().manual_seed(4))
    bilinear = at_image_size(disparity, (27, 55), "bilinear")
    # Corners aligned: with twice the cells less one, every second value is an input.
    assert torch.allclose(bilinear[:, ::2, ::2], disparity, atol=1e-6)
    bicubic = at_image_size(disparity, (27, 55), "bicubic")
    expected = functional.interpolate(disparity[None], size=(27, 55), mode="bicubic")[0]
    assert torch.equal(bicubic, expected)
