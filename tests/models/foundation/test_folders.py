"""`save_pretrained` folders: lossless both ways, strict, and never a word to the network."""

from __future__ import annotations

import json
import socket

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Dinov2Model, Dinov2WithRegistersConfig
from transformers.utils import logging

from moseg.checkpoints.weights import read_weights
from moseg.core.errors import BackendError, OutputError
from moseg.models.foundation import depth_anything, dinov2
from moseg.models.foundation.folders import load_folder, save_folder
from tests.models.foundation.official import (
    depth_anything_shapes,
    dinov2_shapes,
    official,
)
from tests.models.foundation.small import small_depth, small_dinov2


def random_official(shapes):
    generator = torch.Generator().manual_seed(0)
    return official({key: torch.randn(shape, generator=generator) for key, shape in shapes.items()})


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    ("module", "shapes"),
    [(dinov2, dinov2_shapes("s")), (depth_anything, depth_anything_shapes("s"))],
)
def test_official_to_folder_and_back_is_lossless(tmp_path, module, shapes, no_network, capfd):
    network = module.build(random_official(shapes))
    save_folder(network, tmp_path / "folder")
    again = module.build(read_weights(tmp_path / "folder"))
    kept, read = network.state_dict(), again.state_dict()
    assert kept.keys() == read.keys()
    assert all(torch.equal(kept[key], read[key]) for key in kept)
    assert not any(value.requires_grad for value in again.parameters())
    assert not again.training
    with torch.inference_mode():
        pixels = torch.randn(1, 3, 42, 56, generator=torch.Generator().manual_seed(1))
        before, after = network(pixels), again(pixels)
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert capfd.readouterr() == ("", "")


def test_official_positions_are_used_for_folders_too(tmp_path):
    small_dinov2().save_pretrained(tmp_path)
    read = dinov2.build(read_weights(tmp_path))
    stock = Dinov2Model.from_pretrained(tmp_path, local_files_only=True)
    with torch.inference_mode():
        size = (torch.empty(1, 1, 32), 70, 98)
        ours = read.embeddings.interpolate_pos_encoding(*size)
        theirs = stock.embeddings.interpolate_pos_encoding(*size)
    assert (ours - theirs).abs().max() > 1e-3


def test_gated_networks_come_back(tmp_path):
    network = small_dinov2(use_swiglu_ffn=True)
    save_folder(network, tmp_path)
    read = dinov2.build(read_weights(tmp_path)).state_dict()
    assert any("gate_proj" in key for key in read)
    assert all(torch.equal(value, read[key]) for key, value in network.state_dict().items())


def test_folders_as_the_hub_has_them(tmp_path):
    """Written by older versions of the library: fewer settings, some that are gone."""
    network = small_depth()
    network.save_pretrained(tmp_path)
    assert any("attention.attention.query" in k for k in load_file(tmp_path / "model.safetensors"))
    config = json.loads((tmp_path / "config.json").read_text())
    backbone = config["backbone_config"]
    kept = ("hidden_size", "image_size", "model_type", "num_attention_heads", "num_hidden_layers")
    config["backbone_config"] = {key: backbone[key] for key in kept} | {
        "out_features": ["stage1", "stage2", "stage3", "stage5"],
        "out_indices": [1, 2, 3, 5],
        "reshape_hidden_states": False,
        "torch_dtype": "float32",
    }
    config |= {"backbone": None, "use_pretrained_backbone": False, "max_depth": None}
    (tmp_path / "config.json").write_text(json.dumps(config))
    read = depth_anything.build(read_weights(tmp_path))
    pixels = torch.randn(1, 3, 28, 28, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        disparity = depth_anything.DisparityNetwork(read)(pixels)
        expected = depth_anything.DisparityNetwork(network)(pixels)
    assert torch.equal(disparity, expected)


def test_half_precision_folders_are_computed_in_full(tmp_path):
    small_dinov2().half().save_pretrained(tmp_path)
    network = dinov2.build(read_weights(tmp_path))
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}


def test_shards_are_read(tmp_path):
    network = small_depth()
    network.save_pretrained(tmp_path, max_shard_size="100KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    read = depth_anything.build(read_weights(tmp_path)).state_dict()
    assert all(torch.equal(value, read[key]) for key, value in network.state_dict().items())


def change(folder, edit):
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def refusal(module, folder):
    with pytest.raises(BackendError) as caught:
        module.build(read_weights(folder))
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_folders_are_read_strictly(tmp_path):
    small_dinov2().save_pretrained(tmp_path)
    change(tmp_path, lambda tensors: tensors.pop("layernorm.bias"))
    assert "missing keys, such as layernorm.bias" in refusal(dinov2, tmp_path)
    change(tmp_path, lambda tensors: tensors.update({"layernorm.bias": torch.ones(32)}))
    change(tmp_path, lambda tensors: tensors.update({"more": torch.ones(2)}))
    assert "unexpected keys, such as more" in refusal(dinov2, tmp_path)
    change(tmp_path, lambda tensors: tensors.pop("more"))
    change(tmp_path, lambda tensors: tensors.update({"layernorm.bias": torch.ones(30)}))
    assert "layernorm.bias" in refusal(dinov2, tmp_path)
    change(tmp_path, lambda tensors: tensors.update({"layernorm.bias": torch.ones(32)}))
    dinov2.build(read_weights(tmp_path))


def test_folders_of_other_networks(tmp_path):
    small_depth().save_pretrained(tmp_path / "depth")
    small_dinov2().save_pretrained(tmp_path / "dino")
    assert "type depth_anything, not dinov2" in refusal(dinov2, tmp_path / "depth")
    assert "type dinov2, not depth_anything" in refusal(depth_anything, tmp_path / "dino")
    config = tmp_path / "dino" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "hidden_size": "many"}))
    assert "cannot be loaded" in refusal(dinov2, tmp_path / "dino")
    config.write_text("{")
    assert "no readable config.json" in refusal(dinov2, tmp_path / "dino")


def test_other_patches_are_refused(tmp_path):
    small_dinov2(patch_size=16, image_size=592).save_pretrained(tmp_path)
    assert "patches of 16 pixels" in refusal(dinov2, tmp_path)


def test_metric_depth_is_refused(tmp_path):
    small_depth(depth_estimation_type="metric", max_depth=20).save_pretrained(tmp_path)
    assert "metric depth" in refusal(depth_anything, tmp_path)


def test_other_backbones_are_refused(tmp_path):
    size = {"hidden_size": 32, "num_hidden_layers": 5, "num_attention_heads": 4}
    backbone = Dinov2WithRegistersConfig(
        **size, image_size=518, out_indices=[1, 2, 3, 5], reshape_hidden_states=False
    )
    small_depth(backbone_config=backbone).save_pretrained(tmp_path)
    assert "backbone of type dinov2_with_registers" in refusal(depth_anything, tmp_path)


def test_a_single_file_does_not_tell_its_network(tmp_path):
    small_dinov2().save_pretrained(tmp_path)
    message = refusal(dinov2, tmp_path / "model.safetensors")
    assert "give the folder" in message


def test_files_that_run_code_are_not_read(tmp_path):
    network = small_dinov2()
    network.config.save_pretrained(tmp_path)
    torch.save(network.state_dict(), tmp_path / "pytorch_model.bin")
    assert "safetensors" in refusal(dinov2, tmp_path)
    with pytest.raises(BackendError, match=r"cannot be loaded: .*safetensors"):
        load_folder(Dinov2Model, tmp_path)


def test_the_library_s_voice_comes_back(tmp_path):
    small_dinov2().save_pretrained(tmp_path)
    logging.enable_progress_bar()
    before = logging.get_verbosity()
    dinov2.build(read_weights(tmp_path))
    assert logging.get_verbosity() == before
    assert logging.is_progress_bar_enabled()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_folder(small_dinov2(), tmp_path / "file" / "folder")
