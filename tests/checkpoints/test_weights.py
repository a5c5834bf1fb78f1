"""Reading weights: whatever is in the file, tensors or one clear line, and never code."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save as safetensors_bytes
from safetensors.torch import save_file

from moseg.checkpoints.weights import read_weights
from moseg.core.errors import BackendError
from tests.checkpoints.files import checkpoint_bytes, save_folder

TENSORS = {"layer.weight": torch.arange(12.0).reshape(3, 4), "layer.bias": torch.ones(3)}


class Trap:
    """Unpickling it leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def refusal(path):
    """The one line with which a file is refused."""
    with pytest.raises(BackendError) as caught:
        read_weights(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(path))
    return line.removeprefix(str(path)).strip()


def save(path, data, **options):
    torch.save(data, path, **options)
    return path


def assert_tensors(found):
    assert list(found) == list(TENSORS)
    for key, value in TENSORS.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=0)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ["a.pt", "a.pth", "a (1).download"])
def test_an_official_file_is_read_whatever_it_is_called(tmp_path, zipped, name):
    path = save(tmp_path / name, TENSORS, _use_new_zipfile_serialization=zipped)
    weights = read_weights(path, {"causal": "true"})
    assert (weights.path, weights.form) == (path, "official")
    assert weights.metadata == {"causal": "true"}
    assert_tensors(weights.tensors)


def test_an_official_file_stays_on_disk_until_it_is_used(tmp_path):
    path = save(tmp_path / "big.pt", {"a": torch.zeros(20_000_000)})
    before = _resident()
    weights = read_weights(path)
    assert _resident() - before < 30e6
    assert float(weights.tensors["a"].sum()) == 0.0


def _resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("wrapper", ["model", "model_state_dict", "state_dict"])
def test_wrappers_of_training_code_are_taken_off(tmp_path, wrapper):
    inside = {"epoch": 3, wrapper: TENSORS, "best": 0.5}
    assert_tensors(read_weights(save(tmp_path / "a.pt", inside)).tensors)
    nested = {"state_dict": {"model": TENSORS}, "optimizer": {"lr": 0.1}}
    assert_tensors(read_weights(save(tmp_path / "b.pt", nested)).tensors)


def test_a_layer_called_model_is_no_wrapper(tmp_path):
    path = save(tmp_path / "a.pt", {"model": torch.ones(2), "state_dict": torch.ones(1)})
    assert sorted(read_weights(path).tensors) == ["model", "state_dict"]


def test_two_networks_in_one_file_are_not_guessed_between(tmp_path):
    path = save(tmp_path / "a.pt", {"model": TENSORS, "state_dict": TENSORS})
    assert "more than one network: model, state_dict" in refusal(path)


def test_parameters_of_a_module_come_without_gradients(tmp_path):
    module = torch.nn.Linear(4, 3)
    path = save(tmp_path / "a.pt", dict(module.named_parameters()))
    assert not any(value.requires_grad for value in read_weights(path).tensors.values())


def test_safetensors_come_with_their_metadata(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file(TENSORS, path, metadata={"options": '{"dino": true}'})
    weights = read_weights(path, {"causal": "true"})
    assert weights.form == "safetensors"
    assert weights.metadata == {"options": '{"dino": true}'}
    assert sorted(weights.tensors) == sorted(TENSORS)
    torch.testing.assert_close(weights.tensors["layer.weight"], TENSORS["layer.weight"])


def test_a_folder_is_left_to_the_library_that_wrote_it(tmp_path):
    folder = save_folder(tmp_path / "model")
    weights = read_weights(folder)
    assert (weights.form, weights.path, dict(weights.tensors)) == ("folder", folder, {})


def sharded(folder):
    """A folder with two shards and the index that names them."""
    save_folder(folder)
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    save_file({"b": torch.ones(3)}, folder / "model-00002-of-00002.safetensors")
    names = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": names}))
    return folder


def test_a_folder_may_be_in_shards_but_all_of_them(tmp_path):
    folder = sharded(tmp_path / "model")
    assert read_weights(folder).form == "folder"
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert refusal(folder) == "lacks model-00002-of-00002.safetensors; get the folder again"


@pytest.mark.parametrize("text", ["{", "[]", '{"weight_map": 3}'])
def test_a_damaged_index_is_said_so(tmp_path, text):
    folder = sharded(tmp_path / "model")
    (folder / "model.safetensors.index.json").write_text(text)
    assert "index.json is damaged" in refusal(folder)


def test_a_shard_cut_in_half_is_said_so(tmp_path):
    folder = sharded(tmp_path / "model")
    shard = folder / "model-00001-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])
    assert "00001-of-00002.safetensors is no checkpoint" in refusal(folder)


def test_a_folder_of_pickles_is_refused(tmp_path):
    folder = save_folder(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    save(folder / "pytorch_model.bin", TENSORS)
    assert "needs config.json and *.safetensors" in refusal(folder)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: {"model": TENSORS, "hook": t}])
def test_a_pickle_that_would_run_code_is_refused(tmp_path, zipped, wrap):
    trace = tmp_path / "it-ran"
    data = wrap({"layer.weight": torch.ones(2), "hook": Trap(trace)})
    path = save(tmp_path / "a.pt", data, _use_new_zipfile_serialization=zipped)
    line = refusal(path)
    assert "it could run code when read and is refused" in line
    assert "posix.mkdir" in line
    assert not trace.exists()


def test_a_bare_pickle_is_no_checkpoint(tmp_path):
    trace, path = tmp_path / "it-ran", tmp_path / "a.pt"
    path.write_bytes(pickle.dumps({"a": Trap(trace)}))
    assert "is no checkpoint" in refusal(path)
    assert not trace.exists()


def test_harmless_python_objects_are_refused_as_well(tmp_path):
    path = save(tmp_path / "a.pt", {"model": TENSORS, "args": argparse.Namespace(lr=1)})
    assert "Python objects besides tensors (argparse.Namespace)" in refusal(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_program_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    assert "TorchScript program, which would run code, and is refused" in refusal(path)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({}, "holds no tensors"),
        ({"model": {}}, "holds no tensors"),
        (torch.ones(3), "holds a Tensor, not tensors by name"),
        ([torch.ones(3)], "holds a list, not tensors by name"),
        ({0: torch.ones(3)}, "no tensors by name: 0 (Tensor)"),
        ({**TENSORS, "epoch": 3}, "no tensors by name: epoch (int); use the file"),
        ({k: k for k in "abcde"}, "a (str), b (str), c (str) and 2 more"),
        ({"net": TENSORS}, "net (dict)"),
        ({"a": torch.eye(3).to_sparse()}, "a (Tensor)"),
    ],
)
def test_what_is_not_tensors_by_name_is_told(tmp_path, data, complaint):
    assert complaint in refusal(save(tmp_path / "a.pt", data))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "the file is empty"),
        (b"  <!DOCTYPE html><html>Please log in</html>", "it is a web page"),
        (bytes(range(256)) * 40, "neither a whole PyTorch file nor a whole safetensors file"),
        (checkpoint_bytes()[: len(checkpoint_bytes()) // 2], "the file is cut off"),
        (checkpoint_bytes()[:-10], "the file is cut off"),
        (safetensors_bytes(TENSORS)[:40], "nor a whole safetensors file"),
        (safetensors_bytes(TENSORS)[:-1], "nor a whole safetensors file"),
        (safetensors_bytes(TENSORS) + b"0", "nor a whole safetensors file"),
        (b"\x02\0\0\0\0\0\0\0{}", "holds no tensors"),
        (b"\x02\0\0\0\0\0\0\0{!", "nor a whole safetensors file"),
        (b"\xff" * 8 + b"{}", "nor a whole safetensors file"),
    ],
)
def test_what_is_no_checkpoint_is_told(tmp_path, data, complaint):
    path = tmp_path / "a.pt"
    path.write_bytes(data)
    assert complaint in refusal(path)


def test_a_missing_file_is_told(tmp_path):
    assert "cannot be read: No such file or directory" in refusal(tmp_path / "a.pt")


def test_a_zip_archive_of_something_else_is_told(tmp_path):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "is damaged or cut off" in refusal(path)


def legacy_bytes():
    """What `torch.save` wrote before it took to zip archives."""
    stream = io.BytesIO()
    torch.save(TENSORS, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


FORMS = (checkpoint_bytes(values=50), legacy_bytes(), safetensors_bytes(TENSORS))


@pytest.mark.parametrize("whole", FORMS[1:], ids=["legacy", "safetensors"])
@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_other_forms_cut_off_are_told(tmp_path, whole, keep):
    path = tmp_path / "a.pt"
    path.write_bytes(whole[: int(len(whole) * keep)])
    assert "get it again" in refusal(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_anywhere_gives_tensors_or_one_line(tmp_path_factory, data):
    whole = bytearray(data.draw(st.sampled_from(FORMS)))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damage") / "a.pt"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(BackendError):
        for value in read_weights(path).tensors.values():
            value.double().sum()
