"""DINOv2 against the reference's outputs, and the keys that are read from it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from moseg.core.errors import BackendError
from moseg.models.foundation import dinov2
from moseg.models.foundation.positions import use_official_positions
from moseg.models.foundation.preprocess import dino_pixels
from tests.models.foundation.official import cases, filled, step_to
from tests.models.foundation.small import small_dinov2

CASES = cases("dinov2_")
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def network_and_case(path):
    return dinov2.build(filled(path.parent.name)), np.load(path)


def pixels_of(case):
    return dino_pixels(torch.from_numpy(case["in_rgb"])[None])


@pytest.mark.parity
@pytest.mark.parametrize("path", CASES)
def test_pixels_tokens_and_class_token(path):
    network, case = network_and_case(path)
    pixels = pixels_of(case)
    step = step_to(pixels.shape[2], case["out_pixel_values"].shape[1])
    assert np.allclose(pixels[0, :, ::step, ::step], case["out_pixel_values"], **TOLERANCE)
    tokens = network(pixels).last_hidden_state[0].numpy()
    assert np.allclose(tokens[0], case["out_cls"], **TOLERANCE)
    step = step_to(len(tokens) - 1, len(case["out_patch_tokens"]))
    assert np.allclose(tokens[1::step], case["out_patch_tokens"], **TOLERANCE)


@pytest.mark.parity
@pytest.mark.parametrize("path", CASES)
def test_keys_at_stride_seven(path):
    network, case = network_and_case(path)
    keys = dinov2.KeyFeatures(network)(pixels_of(case))[0].numpy()
    assert keys.shape[:2] == tuple(case["in_grid7"])
    step = step_to(keys.shape[0], case["out_keys7"].shape[0])
    assert np.allclose(keys[::step, ::step], case["out_keys7"], **TOLERANCE)


@pytest.mark.parity
@pytest.mark.parametrize("path", CASES)
def test_the_library_s_own_positions_fail(path, monkeypatch):
    monkeypatch.setattr(dinov2, "use_official_positions", lambda embeddings: None)
    network, case = network_and_case(path)
    pixels = pixels_of(case)
    if pixels.shape[2:] == (518, 518):
        pytest.skip("at this size positions are not resampled")
    cls = network(pixels).last_hidden_state[0, 0].numpy()
    assert abs(cls - case["out_cls"]).max() > 1e-3


def by_hand(network, pixels, stride, block):
    """The keys of a block from the whole network, by watching its key projection."""
    network = copy.deepcopy(network)
    use_official_positions(network.embeddings)  # the copy's, not the original's
    network.embeddings.patch_embeddings.projection.stride = (stride, stride)
    seen = []
    network.encoder.layer[block].attention.k_proj.register_forward_hook(
        lambda module, inputs, output: seen.append(output)
    )
    network(pixels)
    return seen[0][:, 1:]


@pytest.mark.parametrize("block", [0, 1, 2])
@pytest.mark.parametrize("stride", [7, 14])
def test_keys_are_those_of_the_whole_network(block, stride):
    network = small_dinov2()
    pixels = torch.randn(2, 3, 42, 70, generator=torch.Generator().manual_seed(1))
    expected = by_hand(network, pixels, stride, block)
    features = dinov2.KeyFeatures(network, stride, block)(pixels)
    rows, columns = features.shape[1:3]
    assert (rows, columns) == ((5, 9) if stride == 7 else (3, 5))
    heads, depth = 4, 8
    for d in range(depth):
        for head in range(heads):
            key = expected[..., head * depth + d].reshape(2, rows, columns)
            assert torch.allclose(features[..., d * heads + head], key, atol=1e-5)


def test_the_last_block_is_read_unless_said():
    pixels = torch.randn(1, 3, 28, 28, generator=torch.Generator().manual_seed(1))
    last = dinov2.KeyFeatures(small_dinov2(), block=2)(pixels)
    assert torch.equal(dinov2.KeyFeatures(small_dinov2())(pixels), last)


@pytest.mark.parametrize("block", [-1, 3])
def test_a_block_that_is_not_there(block):
    with pytest.raises(BackendError, match="3 blocks; use 0 to 2"):
        dinov2.KeyFeatures(small_dinov2(), block=block)


def test_what_comes_after_the_keys_is_neither_held_nor_run():
    network = small_dinov2()
    features = dinov2.KeyFeatures(network, block=1)
    needed = [network.embeddings, network.encoder.layer[0]]
    needed += [network.encoder.layer[1].norm1, network.encoder.layer[1].attention.k_proj]
    assert sum(p.numel() for p in features.parameters()) == sum(
        p.numel() for module in needed for p in module.parameters()
    )
    for unused in [network.encoder.layer[2], network.encoder.layer[1].mlp, network.layernorm]:
        unused.register_forward_hook(lambda *_: pytest.fail("needless work"))
    features(torch.zeros(1, 3, 28, 28))


def test_frames_of_a_batch_do_not_touch():
    features = dinov2.KeyFeatures(small_dinov2())
    pixels = torch.randn(3, 3, 42, 28, generator=torch.Generator().manual_seed(2))
    together = features(pixels)
    for frame in range(3):
        alone = features(pixels[frame : frame + 1])[0]
        assert torch.allclose(together[frame], alone, atol=1e-5)


def test_attention_is_fused(monkeypatch):
    calls = []
    fused = torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(
        torch.nn.functional,
        "scaled_dot_product_attention",
        lambda *args, **settings: calls.append(1) or fused(*args, **settings),
    )
    dinov2.KeyFeatures(small_dinov2(blocks=3))(torch.zeros(1, 3, 28, 28))
    assert len(calls) == 2


def test_low_precision_stays_near():
    features = dinov2.KeyFeatures(small_dinov2())
    pixels = torch.randn(1, 3, 56, 56, generator=torch.Generator().manual_seed(3))
    full = features(pixels)
    with torch.autocast("cpu", torch.bfloat16):
        low = features(pixels)
    assert low.dtype == torch.float32
    assert not torch.equal(low, full)
    assert (low - full).abs().max() < 0.05 * full.abs().max()
