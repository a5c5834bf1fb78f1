"""Memory attention on a CPU, against the library's."""

from __future__ import annotations

import pytest
import torch
from transformers import Sam2VideoConfig, Sam2VideoModel
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoMemoryAttention

from moseg.models.foundation import sam2_memory
from moseg.models.foundation.sam2_memory import MemoryAttention, use_fast_memory
from tests.sam2.video.small import small_sam2

WIDTH = 128
NAMES = (
    "current_vision_features",
    "memory",
    "current_vision_position_embeddings",
    "memory_posision_embeddings",
)


def library(grid: tuple[int, int] = (4, 4), heads: int = 1) -> Sam2VideoMemoryAttention:
    """Two layers with random weights, none of them 0, for `grid` rows and columns."""
    config = Sam2VideoConfig(
        memory_attention_hidden_size=WIDTH,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_num_layers=2,
        memory_attention_num_attention_heads=heads,
        memory_attention_rope_feat_sizes=list(grid[::-1]),
    )
    config._attn_implementation = "sdpa"
    module = Sam2VideoMemoryAttention(config).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for value in module.state_dict().values():
        noise = torch.randn(value.shape, generator=generator)
        value.copy_(2 * noise / value.shape[1] ** 0.5 if value.ndim > 1 else 1 + 0.5 * noise)
    return module


def inputs(cells: int, frames: int, pointers: int, objects: int = 1) -> dict[str, torch.Tensor]:
    """Random features and memories; memories in the number format they are kept in."""
    generator = torch.Generator().manual_seed(frames)
    tokens = frames * cells + pointers
    shapes = (cells, WIDTH), (tokens, 64), (cells, WIDTH), (tokens, 64)
    values = [torch.randn(n, objects, c, generator=generator) for n, c in shapes]
    return dict(zip(NAMES, values, strict=True))


@pytest.fixture
def alone(monkeypatch):
    """The library's code must not run."""

    def refuse(*args: object, **named: object) -> None:
        raise AssertionError("the library's code was called")

    def forbid() -> None:
        monkeypatch.setattr(Sam2VideoMemoryAttention, "forward", refuse)

    return forbid


@pytest.mark.parametrize("grid", [(4, 4), (3, 5), (8, 8), (1, 7)])
@pytest.mark.parametrize(("frames", "pointers"), [(1, 0), (1, 2), (2, 6), (7, 0), (7, 64), (0, 4)])
def test_equal_to_the_library(alone, grid, frames, pointers):
    module = library(grid)
    given = inputs(grid[0] * grid[1], frames, pointers)
    with torch.inference_mode():
        expected = module(**given, num_object_pointer_tokens=pointers)
        ours = MemoryAttention(module)
        alone()
        found = ours(**given, num_object_pointer_tokens=pointers)
    assert found.shape == expected.shape
    assert expected.std() > 0.3
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5 * float(expected.abs().max()))


def test_many_queries_are_taken_some_at_a_time(monkeypatch):
    monkeypatch.setattr(sam2_memory, "SCORES", 1)
    module = library((10, 15))
    given = inputs(150, 3, 8)
    sizes = []
    softmax = torch.softmax

    def noted(scores: torch.Tensor, *args: object, **named: object) -> torch.Tensor:
        sizes.append(scores.shape)
        return softmax(scores, *args, **named)

    with torch.inference_mode():
        expected = module(**given, num_object_pointer_tokens=8)
        monkeypatch.setattr(torch, "softmax", noted)
        found = MemoryAttention(module)(**given, num_object_pointer_tokens=8)
    assert sizes == [(64, 458), (64, 458), (22, 458)] * 2
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5 * float(expected.abs().max()))


def test_scores_of_any_size_stay_finite():
    module = library()
    for layer in module.layers:
        layer.cross_attn_image.q_proj.weight.mul_(1e3)
    given = inputs(16, 2, 4)
    with torch.inference_mode():
        expected = module(**given, num_object_pointer_tokens=4)
        found = MemoryAttention(module)(**given, num_object_pointer_tokens=4)
    assert found.isfinite().all()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3 * float(expected.abs().max()))


def test_elsewhere_the_library_computes():
    module = library()
    ours = MemoryAttention(module)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        one = inputs(16, 2, 4)
        low = ours(**one, num_object_pointer_tokens=4)
        assert torch.equal(low, module(**one, num_object_pointer_tokens=4))
    with torch.inference_mode():
        exact = ours(**one, num_object_pointer_tokens=4)
        assert not torch.equal(low, exact)
        two = inputs(16, 2, 4, objects=2)
        expected = module(**two, num_object_pointer_tokens=4)
        assert torch.equal(ours(**two, num_object_pointer_tokens=4), expected)


def test_a_network_keeps_its_parameters():
    network = small_sam2()
    before = {key: value.data_ptr() for key, value in network.state_dict().items()}
    use_fast_memory(network)
    put = network.memory_attention
    assert isinstance(put, MemoryAttention)
    assert not put.training
    assert {key: value.data_ptr() for key, value in network.state_dict().items()} == before
    use_fast_memory(network)
    assert network.memory_attention is put


def test_a_saved_network_loads_as_before(tmp_path):
    network = small_sam2()
    use_fast_memory(network)
    network.save_pretrained(tmp_path)
    again = Sam2VideoModel.from_pretrained(tmp_path).state_dict()
    assert again.keys() == network.state_dict().keys()
    assert all(torch.equal(again[key], value) for key, value in network.state_dict().items())


def test_several_heads_stay_with_the_library():
    network = small_sam2(memory_attention_num_attention_heads=2)
    use_fast_memory(network)
    assert type(network.memory_attention) is Sam2VideoMemoryAttention
