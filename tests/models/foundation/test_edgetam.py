"""EdgeTAM's key table without timm, which tests have not: an encoder of two layers stands in."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import (
    EdgeTamVideoConfig,
    EdgeTamVideoModel,
    EdgeTamVisionConfig,
    Sam2HieraDetConfig,
)

from moseg.checkpoints.weights import Weights
from moseg.core.errors import BackendError
from moseg.models.foundation import edgetam
from moseg.models.foundation.edgetam_names import TRUNK, key_table
from moseg.models.foundation.official_names import OfficialNames
from moseg.models.foundation.sam2 import fill
from moseg.models.foundation.sam2_names import COPIES
from tests.models.foundation.official import official, sam2_shapes

COUNT = 982
"""Entries of the official file (specs/foundation.md, 3.8)."""
TRUNK_COUNT = 676
"""Of these, the image encoder's, which are timm's own (counted with timm 1.0.31)."""


def network():
    """EdgeTAM on the meta device; its image encoder is a convolution with a normalisation."""
    config = EdgeTamVideoConfig(
        vision_config=EdgeTamVisionConfig(
            backbone_config=Sam2HieraDetConfig(), backbone_channel_list=[384, 192, 96, 48]
        ),
        enable_occlusion_spatial_embedding=False,
        enable_temporal_pos_encoding_for_object_pointers=False,
    )
    with torch.device("meta"):
        whole = EdgeTamVideoModel(config)
        encoder = nn.Module()
        encoder.timm_model = nn.ModuleDict({"c": nn.Conv2d(3, 8, 3), "bn": nn.BatchNorm2d(8)})
        whole.vision_encoder.backbone = encoder
    return whole


def random_official():
    """Official tensors for `network`."""
    stand_in = network()
    named = OfficialNames(stand_in, key_table(stand_in.state_dict()), COPIES).state_dict()
    generator = torch.Generator().manual_seed(0)
    return {
        key: torch.randn(value.shape, generator=generator)
        if value.is_floating_point()
        else torch.tensor(7)
        for key, value in named.items()
    }


def test_the_table_covers_the_network():
    own = network().state_dict()
    table = key_table(own)
    named = [key for keys in table.values() for key in keys]
    assert {*named, *COPIES} == own.keys()
    trunk = [key for key in table if key.startswith("image_encoder.trunk.body.")]
    assert len(trunk) == sum(key.startswith(TRUNK) for key in own) == 7
    assert len(table) - len(trunk) + TRUNK_COUNT == COUNT


def test_what_it_shares_with_sam2_is_called_the_same():
    shapes = {key: tuple(value.shape) for key, value in random_official().items()}
    other = sam2_shapes("tiny", "2.0")
    gone = ("image_encoder.", "memory_attention.layers.2.", "memory_attention.layers.3.")
    shared = {key: shape for key, shape in other.items() if not key.startswith(gone)}
    assert {key: shapes[key] for key in shared} == shared
    own = {key for key in shapes.keys() - shared.keys() if not key.startswith("image_encoder.")}
    assert {key.partition(".")[0] for key in own} == {"spatial_perceiver"}


def test_values_go_to_their_places():
    tensors = random_official()
    filled = network()
    fill(filled, key_table(filled.state_dict()), tensors, "edgetam.pt")
    state = filled.state_dict()
    assert not any(value.is_meta for value in [*filled.parameters(), *filled.buffers()])
    assert state[f"{TRUNK}bn.num_batches_tracked"] == 7
    for old, new in (
        ("image_encoder.trunk.body.bn.running_var", f"{TRUNK}bn.running_var"),
        ("memory_attention.layers.1.linear1.bias", "memory_attention.layers.1.mlp.up_proj.bias"),
        ("spatial_perceiver.latents", "spatial_perceiver.latents_1d"),
        ("spatial_perceiver.latents_2d", "spatial_perceiver.latents_2d"),
        ("spatial_perceiver.norm.bias", "spatial_perceiver.layer_norm.bias"),
    ):
        assert torch.equal(state[new], tensors[old]), old
    layer = "spatial_perceiver.layers.1."
    for old, new in (
        ("attn.norm_x.bias", "layer_norm_input.bias"),
        ("attn.norm_latents.bias", "layer_norm_latents.bias"),
        ("self_attn.norm.bias", "layer_norm_self.bias"),
        ("attn.to_q.weight", "cross_attention.q_proj.weight"),
        ("attn.to_out.weight", "cross_attention.o_proj.weight"),
        ("self_attn.to_q.weight", "self_attention.q_proj.weight"),
        ("self_attn.to_out.weight", "self_attention.o_proj.weight"),
        ("ff.0.bias", "mlp.layer_norm.bias"),
        ("ff.1.weight", "mlp.up_proj.weight"),
        ("ff.3.weight", "mlp.down_proj.weight"),
        ("self_ff.0.weight", "self_mlp.layer_norm.weight"),
        ("self_ff.3.weight", "self_mlp.down_proj.weight"),
    ):
        assert torch.equal(state[layer + new], tensors[layer + old]), old
    for old, new in (("attn", "cross_attention"), ("self_attn", "self_attention")):
        halves = [state[f"{layer}{new}.{part}_proj.weight"] for part in "kv"]
        assert torch.equal(torch.cat(halves), tensors[f"{layer}{old}.to_kv.weight"])


def test_keys_that_do_not_fit_are_told_by_their_official_names():
    tensors = random_official()
    del tensors["spatial_perceiver.layers.0.attn.to_kv.weight"]
    tensors["no_obj_embed_spatial"] = torch.ones(1, 64)
    tensors["image_encoder.trunk.body.c.weight"] = torch.ones(8, 3, 1, 1)
    filled = network()
    with pytest.raises(BackendError) as caught:
        fill(filled, key_table(filled.state_dict()), tensors, "edgetam.pt")
    assert str(caught.value) == (
        "edgetam.pt does not fit this network: "
        "missing: spatial_perceiver.layers.0.attn.to_kv.weight; "
        "unexpected: no_obj_embed_spatial; "
        "of another shape: image_encoder.trunk.body.c.weight (8, 3, 1, 1) "
        "instead of (8, 3, 3, 3); use the right checkpoint"
    )


@pytest.mark.parametrize("form", ["official", "folder"])
def test_what_is_missing_is_told(monkeypatch, form):
    monkeypatch.setattr(edgetam, "is_timm_available", lambda: False)
    with pytest.raises(BackendError) as caught:
        edgetam.build(Weights(Path("edgetam"), form, {}, {}))
    assert str(caught.value) == (
        "edgetam: EdgeTAM needs timm and torchvision: pip install timm torchvision"
    )


def test_a_sam2_is_refused(monkeypatch):
    monkeypatch.setattr(edgetam, "is_timm_available", lambda: True)
    with pytest.raises(BackendError, match=r"^some\.pth has no spatial_perceiver\.latents; use"):
        edgetam.build(official({"sam_mask_decoder.iou_token.weight": torch.ones(1, 256)}))


def test_the_description_is_of_the_published_encoder():
    config = edgetam.make_config()
    encoder = config.vision_config.backbone_config
    assert encoder.model_type == "timm_wrapper"
    assert encoder.architecture == "repvit_m1.dist_in1k"
    assert encoder.model_args["features_only"] is True
    assert list(config.vision_config.backbone_channel_list) == [384, 192, 96, 48]
    assert config.enable_occlusion_spatial_embedding is False
    assert config.enable_temporal_pos_encoding_for_object_pointers is False
