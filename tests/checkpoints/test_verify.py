"""Verifying: digest, family, every tensor, every value."""

from __future__ import annotations

import os

import pytest
import torch
from safetensors.torch import save_file

from moseg.checkpoints.verify import verify
from moseg.core.errors import BackendError
from tests.checkpoints.files import entry, store
from tests.checkpoints.official import official_file, tensors

LONG_AGO = 1_600_000_000


@pytest.fixture
def here(tmp_path):
    """A store with a track classifier in the place of `small`."""
    official_file(tmp_path / "small_v1.pt", "track_classifier")
    return store(tmp_path, entry(family="track_classifier"))


def test_a_right_checkpoint_is_counted(here):
    verdict = verify(here, "small")
    assert verdict.kind.family == "track_classifier"
    assert (verdict.tensors, verdict.parameters) == (200, 3_443_809)
    assert verdict.checkpoint.sha256 == here.digests.of(here.folder / "small_v1.pt")


def test_a_path_is_verified_by_its_keys(here, tmp_path):
    other = official_file(tmp_path / "mine.pt", "track_classifier", seed=1)
    verdict = verify(here, str(other))
    assert verdict.checkpoint.entry is None
    assert verdict.tensors == 200


def test_the_file_is_read_even_if_it_looks_unchanged(here):
    path = here.folder / "small_v1.pt"
    os.utime(path, (LONG_AGO, LONG_AGO))
    verify(here, "small")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert here.checked("small"), "not noticed in passing"
    with pytest.raises(BackendError, match="is not the file first seen here"):
        verify(here, "small")
    assert verify(here, "small", trust=True).tensors == 200
    assert verify(here, "small").tensors == 200


def test_another_family_is_told(tmp_path):
    official_file(tmp_path / "small_v1.pt", "track_classifier")
    here = store(tmp_path, entry(family="tapir"))
    with pytest.raises(BackendError, match="holds track_classifier weights, not tapir; delete it"):
        verify(here, "small")


def save(here, state):
    torch.save(state, here.folder / "small_v1.pt")
    return here


def test_a_missing_tensor_is_named(here):
    state = tensors("track_classifier")
    del state["joint_encoder.fc2.bias"]
    with pytest.raises(BackendError, match=r"missing: joint_encoder\.fc2\.bias"):
        verify(save(here, state), "small")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_named(here, value):
    state = tensors("track_classifier")
    state["joint_encoder.fc2.bias"][3] = value
    with pytest.raises(BackendError, match=r"joint_encoder\.fc2\.bias holds values that are no"):
        verify(save(here, state), "small")


def test_sam2_is_built(tmp_path):
    here = store(tmp_path, entry(family="sam2"))
    official_file(tmp_path / "small_v1.pt", "sam2")
    verdict = verify(here, "small")
    assert verdict.kind.family == "sam2"
    # The library holds the 2 x 128 random directions of the 38,962,754 numbers twice.
    assert (verdict.tensors, verdict.parameters) == (469, 38_962_754 + 256)
    with pytest.raises(BackendError, match=r"has no image_encoder\.trunk\."):
        verify(save(here, {"model": {"sam_mask_decoder.x": torch.ones(3)}}), "small", trust=True)


def test_a_folder_of_another_network_is_told(tmp_path):
    here = store(tmp_path, entry(family="dinov2"))
    folder = tmp_path / "small"
    folder.mkdir()
    save_file({"a": torch.ones(1)}, folder / "model.safetensors")
    for text, words in {
        '{"model_type": "bert"}': "of no network that moseg knows",
        '{"model_type": ""}': "of no network that moseg knows",
        '{"model_type": "depth_anything"}': "holds depth_anything weights, not dinov2",
        "{": r"config\.json is damaged",
        '{"a": 1}': r"config\.json is damaged",
    }.items():
        (folder / "config.json").write_text(text)
        with pytest.raises(BackendError, match=words):
            verify(here, "small", trust=True)
