"""SAM 2 in `save_pretrained` folders: of any description, strict, as the hub has them."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig

from moseg.checkpoints.weights import read_weights
from moseg.core.errors import BackendError
from moseg.models.foundation import sam2
from moseg.models.foundation.folders import save_folder
from tests.models.foundation.small import small_dinov2


def small(**changes):
    """A network of 32 channels with random weights."""
    channels = [8, 16, 32, 64]
    trunk = Sam2HieraDetConfig(
        hidden_size=8,
        blocks_per_stage=[1, 1, 1, 1],
        embed_dim_per_stage=channels,
        global_attention_blocks=[2],
    )
    vision = Sam2VisionConfig(
        backbone_config=trunk, backbone_channel_list=channels[::-1], fpn_hidden_size=32
    )
    settings = {
        "vision_config": vision,
        "prompt_encoder_config": {"hidden_size": 32},
        "mask_decoder_config": {"hidden_size": 32, "mlp_dim": 16, "iou_head_hidden_dim": 16},
        "memory_attention_hidden_size": 32,
        "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 16,
        "memory_attention_rope_feat_sizes": [8, 8],
        "memory_encoder_hidden_size": 32,
        "memory_encoder_output_channels": 16,
        "mask_downsampler_embed_dim": 32,
        "memory_fuser_embed_dim": 32,
        "memory_fuser_intermediate_dim": 16,
    }
    network = Sam2VideoModel(Sam2VideoConfig(**{**settings, **changes}))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in network.state_dict().values():
            value.copy_(torch.randn(value.shape, generator=generator))
    return network


def buffers(network):
    return dict(network.named_buffers())


@pytest.mark.parametrize("temporal", [True, False])
def test_a_folder_comes_back_whole(tmp_path, temporal):
    network = small(
        enable_occlusion_spatial_embedding=temporal,
        enable_temporal_pos_encoding_for_object_pointers=temporal,
    )
    save_folder(network, tmp_path)
    read = sam2.build(read_weights(tmp_path))
    kept, found = network.state_dict(), read.state_dict()
    assert kept.keys() == found.keys()
    assert all(torch.equal(value, found[key]) for key, value in kept.items())
    constants = buffers(network)
    assert any("inv_freq" in key for key in constants)
    assert all(torch.equal(value, buffers(read)[key]) for key, value in constants.items())
    assert read.config.enable_occlusion_spatial_embedding is temporal
    assert not any(value.requires_grad for value in read.parameters())
    assert not read.training


def test_folders_as_the_hub_has_them(tmp_path):
    """Written by older versions of the library, which described rotary positions otherwise."""
    network = small()
    save_folder(network, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "sam2_video"
    assert config.pop("rope_parameters")["rope_theta"] == 10000
    del config["dtype"]
    for part in ("mask_decoder_config", "prompt_encoder_config"):
        config[part]["model_type"] = ""
    config |= {"memory_attention_rope_theta": 10000, "torch_dtype": "float32"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    read = sam2.build(read_weights(tmp_path))
    for mine, theirs in ((network.state_dict(), read.state_dict()), map(buffers, (network, read))):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[key]) for key, value in mine.items())


def refusal(folder):
    with pytest.raises(BackendError) as caught:
        sam2.build(read_weights(folder))
    message = str(caught.value)
    assert message.startswith(str(folder))
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "key", ["shared_image_embedding.positional_embedding", "memory_encoder.projection.bias"]
)
def test_folders_are_read_strictly(tmp_path, key):
    save_folder(small(), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    value = tensors.pop(key)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert f"missing keys, such as {key}" in refusal(tmp_path)
    tensors |= {key: value[:1].clone()}
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert f"mismatched keys, such as {key}" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ({"enable_occlusion_spatial_embedding": False}, "occlusion_spatial_embedding_parameter"),
        (
            {"enable_temporal_pos_encoding_for_object_pointers": False},
            "temporal_positional_encoding_projection_layer.bias",
        ),
        ({"memory_fuser_num_layers": 1}, "memory_encoder.memory_fuser.layers.1."),
    ],
)
def test_tensors_that_would_be_passed_over_are_told(tmp_path, setting, key):
    """Such as the weights of a 2.1 described as a 2.0; the library alone says nothing."""
    save_folder(small(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert setting.keys() <= config.keys()
    (tmp_path / "config.json").write_text(json.dumps(config | setting))
    assert f"unexpected keys, such as {key}" in refusal(tmp_path)


def test_shards_are_read(tmp_path):
    network = small()
    network.save_pretrained(tmp_path, max_shard_size="300KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    read = sam2.build(read_weights(tmp_path)).state_dict()
    assert all(torch.equal(value, read[key]) for key, value in network.state_dict().items())


def test_folders_of_other_networks(tmp_path):
    save_folder(small_dinov2(), tmp_path / "dino")
    assert "type dinov2, not sam2_video" in refusal(tmp_path / "dino")


def test_a_single_file_does_not_tell_its_network(tmp_path):
    save_folder(small(), tmp_path)
    with pytest.raises(BackendError, match="give the folder that holds it"):
        sam2.build(read_weights(tmp_path / "model.safetensors"))
