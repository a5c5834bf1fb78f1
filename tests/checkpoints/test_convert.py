"""Conversion: another form, the same network; whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from moseg.checkpoints.convert import convert
from moseg.checkpoints.families import KINDS, kind_of
from moseg.checkpoints.weights import read_weights
from moseg.core.errors import BackendError, ConfigError, OutputError
from moseg.models.foundation import edgetam
from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import Options
from tests.checkpoints.files import checkpoint_bytes
from tests.checkpoints.official import official_file
from tests.limits import largest_file

FAMILIES = ("tapir", "track_classifier", "dinov2", "depth_anything", "sam2")
SETTINGS = {"causal": "true"}


def target(folder, family):
    return folder / ("out" if KINDS[family].converted == "folder" else "out.safetensors")


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Family -> its official file and what was made of it; each made once."""
    made = {}

    def of(family):
        if family not in made:
            folder = tmp_path_factory.mktemp(family)
            official = official_file(folder / "official.pt", family)
            made[family] = (
                official,
                convert(read_weights(official, SETTINGS), target(folder, family)),
            )
        return made[family]

    return of


@pytest.mark.parametrize("family", FAMILIES)
def test_the_network_is_the_same(converted, family):
    official, out = converted(family)
    networks = []
    for path in (official, out):
        weights = read_weights(path)
        kind = kind_of(weights)
        assert kind.family == family
        networks.append(kind.build(weights).state_dict())
    first, second = networks
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert sorted(p.name for p in out.parent.iterdir()) == sorted([out.name, "official.pt"])
    if out.is_dir():
        assert sorted(p.name for p in out.iterdir()) == ["config.json", "model.safetensors"]


def test_what_tensors_do_not_tell_is_stored(converted):
    assert read_weights(converted("tapir")[1]).metadata["causal"] == "true"
    options = json.loads(read_weights(converted("track_classifier")[1]).metadata["options"])
    assert options["depth_lookup"] == "reference"
    assert options["dino_later"] is True


def test_stored_options_make_the_network(converted, tmp_path):
    official, _ = converted("track_classifier")
    options = Options(depth_lookup="pixel", time_att=False)
    path = tmp_path / "own.safetensors"
    save_file(dict(read_weights(official).tensors), path, metadata={"options": options.to_json()})
    weights = read_weights(path)
    network = kind_of(weights).build(weights)
    assert isinstance(network, TrackClassifier)
    assert network.options == options


def test_a_tapir_of_unknown_kind_has_to_be_told(converted, tmp_path):
    official, _ = converted("tapir")
    for settings in ({}, {"causal": "perhaps"}):
        with pytest.raises(ConfigError, match=r"say --causal .* or --no-causal"):
            convert(read_weights(official, settings), tmp_path / "out.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("family", "name", "words"),
    [
        ("tapir", "out", "tapir is converted to a file NAME.safetensors"),
        ("dinov2", "out.safetensors", "dinov2 is converted to a folder"),
    ],
)
def test_the_name_says_the_form(converted, tmp_path, family, name, words):
    official, _ = converted(family)
    with pytest.raises(ConfigError, match=words):
        convert(read_weights(official, SETTINGS), tmp_path / name)


@pytest.mark.parametrize("family", ["track_classifier", "dinov2"])
def test_what_is_there_is_not_replaced(converted, family):
    official, out = converted(family)
    with pytest.raises(OutputError, match="is already there; delete it"):
        convert(read_weights(official, SETTINGS), out)


@pytest.mark.parametrize("family", ["track_classifier", "dinov2"])
def test_what_is_converted_stays_as_it_is(converted, tmp_path, family):
    _, out = converted(family)
    with pytest.raises(BackendError, match="is converted already"):
        convert(read_weights(out), target(tmp_path, family))


def test_weights_that_do_not_fit_are_not_converted(tmp_path):
    state = torch.load(official_file(tmp_path / "a.pt", "track_classifier"), weights_only=True)[
        "model_state_dict"
    ]
    del state["decoder.output_layer.bias"]
    torch.save(state, tmp_path / "b.pt")
    with pytest.raises(BackendError, match=r"missing: decoder\.output_layer\.bias"):
        convert(read_weights(tmp_path / "b.pt"), tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_edgetam_is_no_sam2_and_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(edgetam, "is_timm_available", lambda: False)
    keys = ("sam_mask_decoder.iou_token.weight", "spatial_perceiver.latents")
    torch.save({"model": {key: torch.ones(1) for key in keys}}, tmp_path / "a.pt")
    with pytest.raises(BackendError, match=r"a\.pt: EdgeTAM needs timm and torchvision: pip "):
        convert(read_weights(tmp_path / "a.pt"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_network_is_told(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(checkpoint_bytes())
    with pytest.raises(BackendError, match="of no network that moseg knows"):
        convert(read_weights(path), tmp_path / "out")


@pytest.mark.parametrize("family", ["track_classifier", "dinov2"])
def test_a_place_that_cannot_be_written_is_told_and_nothing_left(converted, tmp_path, family):
    official, _ = converted(family)
    out = target(tmp_path, family)
    weights = read_weights(official, SETTINGS)
    with largest_file(100_000), pytest.raises(OutputError, match="the file grows larger"):
        convert(weights, out)
    assert list(tmp_path.iterdir()) == []
    convert(weights, out)
    assert out.exists()


def test_folders_can_be_read_by_others(converted):
    _, out = converted("dinov2")
    assert out.stat().st_mode & 0o055 == 0o055
    assert all(os.access(path, os.R_OK) for path in Path(out).iterdir())
