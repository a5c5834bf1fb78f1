"""The base of backends with networks: early checks, identity, loading, computing."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from moseg.checkpoints import packages
from moseg.checkpoints.backend import NetworkBackend, NetworkParams
from moseg.core.device import Device
from moseg.core.errors import BackendError
from moseg.core.scene import Scene
from moseg.core.stage import Report, Task
from moseg.models.strict import load_strict

ROOT = Path(__file__).parents[2]
SCENE = Scene("a", Path("a.mp4"), "video")


class Line(NetworkBackend[NetworkParams]):
    """Says what its one layer makes of ones."""

    stage = "tracks"
    name = "line"
    version = 1
    packages = ("torch",)

    def build(self, weights):
        self.settings = dict(weights.metadata)
        module = nn.Linear(4, 1)
        load_strict(module, weights.tensors, str(weights.path))
        return module

    def run(self, task):
        with self.computing(task):
            value = self.network(torch.ones(1, 4))
            facts = {"inference": value.is_inference(), "threads": torch.get_num_threads()}
        return Report({"value": float(value), **facts})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The store."""
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path))
    return tmp_path


def backend(checkpoint):
    return Line(NetworkParams(checkpoint=str(checkpoint)))


def write(path, bias=0.5):
    torch.save({"weight": torch.ones(1, 4), "bias": torch.tensor([bias])}, path)
    return path


def task(tmp_path, threads=1):
    return Task(SCENE, {}, tmp_path / "out", threads=threads)


def test_it_loads_and_computes(tmp_path):
    line = backend(write(tmp_path / "a.pt"))
    line.check()
    line.prepare(Device("cpu"))
    assert line.device == Device("cpu")
    assert not line.network.training
    assert line.run(task(tmp_path)).summary == {"value": 4.5, "inference": True, "threads": 1}


def test_the_threads_are_the_task_s_and_put_back(tmp_path):
    line = backend(write(tmp_path / "a.pt"))
    line.prepare(Device("cpu"))
    before = torch.get_num_threads()
    for threads in (1, 2):
        assert line.run(task(tmp_path, threads)).summary["threads"] == threads
        assert torch.get_num_threads() == before
    with pytest.raises(KeyError), line.computing(task(tmp_path, before + 1)):
        raise KeyError
    assert torch.get_num_threads() == before
    assert not torch.is_inference_mode_enabled()


def test_the_identity_is_what_the_checkpoint_holds_wherever_it_lies(tmp_path):
    first, same = write(tmp_path / "a.pt"), tmp_path / "deep.pth"
    same.write_bytes(first.read_bytes())
    other = write(tmp_path / "b.pt", bias=0.25)
    identities = [backend(path).identity(SCENE) for path in (first, same, other)]
    assert identities[0] == identities[1] != identities[2]
    assert list(identities[0]) == ["checkpoint"]
    assert len(identities[0]["checkpoint"]) == 64


def test_a_missing_checkpoint_ends_in_the_command_that_brings_it():
    for act in (lambda b: b.check(), lambda b: b.identity(SCENE), lambda b: b.prepare(Device())):
        with pytest.raises(BackendError, match=r"run: moseg checkpoints download bootstapir$"):
            act(backend("bootstapir"))


def test_a_missing_package_ends_in_the_command_that_brings_it(tmp_path, monkeypatch):
    line = backend(write(tmp_path / "a.pt"))
    monkeypatch.setattr(packages, "PACKAGES", {"no_such_package": "PyTorch"})
    monkeypatch.setattr(Line, "packages", ("no_such_package",))
    for act in (line.check, lambda: line.prepare(Device("cpu"))):
        with pytest.raises(BackendError) as caught:
            act()
        assert str(caught.value) == "tracks need PyTorch: pip install 'moseg[models]'"


def test_what_the_manifest_knows_of_an_official_file_reaches_the_network(folder):
    write(folder / "causal_bootstapir_checkpoint.pt")
    line = backend("bootstapir-online")
    line.prepare(Device("cpu"))
    assert line.settings == {"causal": "true"}


def test_a_changed_checkpoint_of_the_manifest_is_noticed_before_any_scene(folder):
    write(folder / "tapir_checkpoint_panning.pt")
    backend("tapir").check()
    write(folder / "tapir_checkpoint_panning.pt", bias=0.25)
    with pytest.raises(BackendError, match="is not the file first seen here"):
        backend("tapir").check()


def test_another_network_s_weights_are_told(tmp_path):
    torch.save({"other": torch.ones(1)}, tmp_path / "a.pt")
    line = backend(tmp_path / "a.pt")
    line.check()
    with pytest.raises(BackendError, match="does not fit this network: missing: weight, bias"):
        line.prepare(Device("cpu"))


def test_it_travels_to_worker_processes(tmp_path):
    line = backend(write(tmp_path / "a.pt"))
    line.check()
    copy = pickle.loads(pickle.dumps(line))
    (tmp_path / "digests.json").unlink(missing_ok=True)
    assert copy.identity(SCENE) == line.identity(SCENE)


@pytest.mark.slow
def test_nothing_but_preparing_imports_pytorch(tmp_path):
    code = """
import sys
from pathlib import Path
from moseg.checkpoints.backend import NetworkBackend, NetworkParams
from moseg.core.device import Device
from moseg.core.scene import Scene

class Line(NetworkBackend[NetworkParams]):
    stage, name, version = "tracks", "line", 1
    def build(self, weights): raise KeyError("built")
    def run(self, task): ...

line = Line(NetworkParams(checkpoint=sys.argv[1]))
line.check()
line.identity(Scene("a", Path("a.mp4"), "video"))
assert "torch" not in sys.modules
try:
    line.prepare(Device("cpu"))
except KeyError:
    assert "torch" in sys.modules
    print("yes")
"""
    command = [sys.executable, "-c", code, str(write(tmp_path / "a.pt"))]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "yes"
