"""Official key lists of all sizes become the networks' own, and what does not fit is named."""

from __future__ import annotations

import pytest
import torch

from moseg.core.errors import BackendError
from moseg.models.foundation import depth_anything, dinov2
from moseg.models.foundation.official_names import OfficialNames
from moseg.models.strict import load_strict
from tests import parity
from tests.models.foundation.official import (
    DEPTH_HEADS,
    DINOV2,
    cases,
    depth_anything_shapes,
    dinov2_shapes,
    official,
    unreal,
)


@pytest.mark.parametrize(("size", "count"), [("s", 175), ("b", 175), ("l", 343), ("g", 567)])
def test_dinov2_of_every_size(size, count):
    tensors = unreal(dinov2_shapes(size))
    assert len(tensors) == count
    network = dinov2.build(official(tensors))
    channels, blocks = DINOV2[size]
    assert network.config.hidden_size == channels
    assert network.config.num_attention_heads == channels // 64
    # Queries, keys and values, and the gate, are apart in the library.
    assert len(network.state_dict()) == count + blocks * (6 if size == "g" else 4)


@pytest.mark.parametrize(
    ("size", "count", "converted"), [("s", 239, 287), ("b", 239, 287), ("l", 407, 503)]
)
def test_depth_anything_of_every_size(size, count, converted):
    tensors = unreal(depth_anything_shapes(size))
    assert len(tensors) == count
    network = depth_anything.build(official(tensors))
    assert len(network.state_dict()) == converted
    taps = {"s": [3, 6, 9, 12], "b": [3, 6, 9, 12], "l": [5, 12, 18, 24]}
    assert list(network.backbone.config.out_indices) == taps[size]
    assert network.config.fusion_hidden_size == DEPTH_HEADS[size][1]


@pytest.mark.parity
@pytest.mark.parametrize("path", cases("dinov2_") + cases("depth_anything_v2_"))
def test_rules_give_the_key_lists_of_the_reference(path):
    kind = path.parent.name
    listed = {key: tuple(v["shape"]) for key, v in parity.key_list(kind).items()}
    is_depth = kind.startswith("depth")
    prefix, sizes = ("pretrained.", DEPTH_HEADS) if is_depth else ("", DINOV2)
    channels = listed[f"{prefix}cls_token"][-1]
    size = next(size for size in sizes if DINOV2[size][0] == channels)
    assert (depth_anything_shapes if is_depth else dinov2_shapes)(size) == listed


def test_values_go_to_their_places():
    shapes = dinov2_shapes("s")
    tensors = {key: torch.full((), float(i)).expand(s) for i, (key, s) in enumerate(shapes.items())}
    tensors["blocks.3.attn.qkv.bias"] = torch.arange(3.0 * 384)
    network = dinov2.build(official(tensors))
    attention = network.encoder.layer[3].attention
    for part, start in (("q", 0), ("k", 384), ("v", 768)):
        bias = getattr(attention, f"{part}_proj").bias
        assert bias.tolist() == list(range(start, start + 384))
    number = {key: float(i) for i, key in enumerate(shapes)}
    assert float(network.layernorm.bias[0]) == number["norm.bias"]
    assert float(network.encoder.layer[11].norm2.weight[0]) == number["blocks.11.norm2.weight"]
    assert float(network.encoder.layer[0].layer_scale1.lambda1[0]) == number["blocks.0.ls1.gamma"]


def test_the_giant_gates_with_the_first_half():
    size = dinov2.Size(channels=64, layers=1, gated=True)
    network = dinov2.Dinov2Model(dinov2.make_config(size)).eval()
    generator = torch.Generator().manual_seed(0)
    named = OfficialNames(network, dinov2.key_table(size))
    tensors = {
        key: torch.randn(value.shape, generator=generator) / 8
        for key, value in named.state_dict().items()
    }
    load_strict(named, tensors, "small.pth")
    x = torch.randn(5, 64, generator=generator)
    w12, b12, w3, b3 = (
        tensors[f"blocks.0.mlp.{key}"] for key in ("w12.weight", "w12.bias", "w3.weight", "w3.bias")
    )
    gate, value = (x @ w12.T + b12).chunk(2, dim=1)
    expected = (torch.nn.functional.silu(gate) * value) @ w3.T + b3
    assert torch.allclose(network.encoder.layer[0].mlp(x), expected, atol=1e-5)


@pytest.mark.parametrize("prefix", ["", "pretrained."])
def test_half_precision_files_are_computed_in_full(prefix):
    shapes = depth_anything_shapes("s") if prefix else dinov2_shapes("s")
    tensors = {key: value.half() for key, value in unreal(shapes).items()}
    network = (depth_anything if prefix else dinov2).build(official(tensors))
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}
    assert not any(value.requires_grad for value in network.parameters())


def refusal(module, tensors):
    with pytest.raises(BackendError) as caught:
        module.build(official(tensors, "some.pth"))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("some.pth")
    return message


def test_a_cut_key_list_is_told_by_official_names():
    tensors = unreal(dinov2_shapes("s"))
    kept = {key: value for key, value in tensors.items() if not key.startswith("blocks.11.")}
    message = refusal(dinov2, kept)
    assert "missing: blocks.11." in message
    assert "11 more" in message
    tensors = unreal(depth_anything_shapes("s"))
    del tensors["pretrained.blocks.2.attn.qkv.weight"]
    assert "missing: pretrained.blocks.2.attn.qkv.weight" in refusal(depth_anything, tensors)


def test_unexpected_and_mis_shaped_keys_are_told():
    tensors = unreal(depth_anything_shapes("s"))
    tensors["depth_head.extra"] = torch.empty(1)
    assert "unexpected: depth_head.extra" in refusal(depth_anything, tensors)
    del tensors["depth_head.extra"]
    tensors["depth_head.scratch.output_conv1.weight"] = torch.empty(32, 64, 1, 1)
    message = refusal(depth_anything, tensors)
    assert "depth_head.scratch.output_conv1.weight (32, 64, 1, 1) instead of (32, 64, 3, 3)" in (
        message
    )
    tensors = unreal(dinov2_shapes("s"))
    tensors["pos_embed"] = torch.empty(1, 257, 384)
    assert "pos_embed (1, 257, 384) instead of (1, 1370, 384)" in refusal(dinov2, tensors)
    tensors["cls_token"] = torch.empty(1, 1, 400)
    assert "cls_token has the shape (1, 1, 400)" in refusal(dinov2, tensors)


def test_another_model_is_refused():
    assert "no cls_token" in refusal(dinov2, unreal(depth_anything_shapes("s")))
    assert "no pretrained.cls_token" in refusal(depth_anything, unreal(dinov2_shapes("s")))
    giant = {f"pretrained.{key}": value for key, value in unreal(dinov2_shapes("g")).items()}
    assert "1536 channels" in refusal(depth_anything, giant)


@pytest.mark.parametrize(("module", "prefix"), [(dinov2, ""), (depth_anything, "pretrained.")])
def test_register_tokens_are_refused(module, prefix):
    tensors = unreal(depth_anything_shapes("s") if prefix else dinov2_shapes("s"))
    tensors[f"{prefix}register_tokens"] = torch.empty(1, 4, 384)
    assert "register tokens" in refusal(module, tensors)


def test_blocks_in_chunks_are_taken():
    plain = unreal(dinov2_shapes("s"))

    def in_chunks(key, of):
        if not key.startswith("blocks."):
            return key
        number = int(key.split(".")[1])
        return f"blocks.{number // of}.{key.partition('.')[2]}"

    network = dinov2.build(official({in_chunks(key, 3): value for key, value in plain.items()}))
    assert len(network.encoder.layer) == 12
    anew = {
        key.replace("blocks.5.", "blocks.1.2.").replace("blocks.2.", "blocks.0.2."): value
        for key, value in plain.items()
    }
    assert "each chunk" in refusal(dinov2, anew)
