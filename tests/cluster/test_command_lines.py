"""`--ray` on both command lines: what is wrong is said in one line; without it there is no Ray."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tests.cli.commands import FAST, good_frames, moseg, run_inference
from tests.cluster.runs import ROOT
from tests.media import write_images

NOWHERE = "127.0.0.1:1"
"""An address where nothing listens."""

NEEDS_RAY = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed"
)


@pytest.fixture
def root(tmp_path):
    """A data root with one scene."""
    write_images(tmp_path / "images" / "a", good_frames(3))
    return tmp_path


WRONG = {
    "nonsense": "--ray is 'nonsense'; use local, auto or ray://HOST:PORT",
    "auto": f"no Ray cluster answers at --ray auto ({NOWHERE}: ",
    f"ray://{NOWHERE}": f"no Ray cluster answers at --ray ray://{NOWHERE} (",
    "ray://": "no Ray cluster answers at --ray ray:// (",
    f"ray://{NOWHERE}x": "no Ray cluster answers",
}


@NEEDS_RAY
@pytest.mark.parametrize("place", WRONG)
def test_a_cluster_that_is_not_there(root, monkeypatch, place):
    monkeypatch.setenv("RAY_ADDRESS", NOWHERE)
    outcome = moseg("run", root / "images", "--out", root / "out", "--ray", place)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.one_line.startswith(f"error: {WRONG[place]}")
    outcome = run_inference("--data_dir", root / "images", "--depths", "--ray", place)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.one_line.startswith(f"error: {WRONG[place]}")


def test_gpus_of_this_machine_are_not_those_of_a_cluster(root):
    flags = ("--data_dir", root / "images", "--depths", "--gpus", 0, "--ray", "auto")
    outcome = run_inference(*flags)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.one_line.startswith("error: --gpus chooses GPUs of this machine")
    assert [path.name for path in root.iterdir()] == ["images"]


def test_no_workers_at_all(root):
    outcome = moseg("run", root / "images", "--out", root / "out", "--ray", "local", "--workers", 0)
    assert outcome.code == 2
    assert "0 workers are asked for" in outcome.one_line


def test_ray_that_is_not_installed(root, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    outcome = moseg("run", root / "images", "--out", root / "out", "--ray", "local")
    assert outcome.code == 2
    assert outcome.one_line == "error: --ray needs Ray: pip install 'moseg[ray]'"


PROGRAM = f"""
import sys
from moseg.cli import inference, main
sys.argv = ["moseg", "run", sys.argv[1], "--out", sys.argv[2], *{FAST}]
try:
    main.main()
except SystemExit as stop:
    assert stop.code == 0
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & {{"ray", "fsspec", "s3fs", "grpc"}}), "moseg.cluster" in sys.modules)
"""


@pytest.mark.slow
def test_without_it_nothing_of_ray_is_imported(root):
    command = [sys.executable, "-c", PROGRAM, root / "images", root / "out"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[] False"
