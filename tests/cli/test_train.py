"""`moseg train`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from moseg.checkpoints.weights import read_weights
from moseg.models.track_classifier.model import build_classifier
from moseg.models.track_classifier.options import Options
from moseg.pipeline.training import load_training
from tests.cli.commands import ROOT, moseg
from tests.motion.datasets import tiny_scenes
from tests.motion.track_samples import track_sample, write_sample, write_samples

SHORT = ["steps=4", "validate_every=2", "checkpoint_every=2", "log_every=1", "workers=0"]
SHORT += ["schedule.warmup=0", "device=cpu", "tensorboard=false", "network.options.tracks=true"]
CONFIGS = ROOT / "configs/train"
FILES = CONFIGS / "track_classifier_files.yaml"


def train(samples: Path, *more: object, settings=()):
    """Call the command with a few steps."""
    given = [*SHORT, f"data.folder={samples}", *settings]
    return moseg("train", FILES, *(word for text in given for word in ("--set", text)), *more)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, samples):
    """What a training left, and what it said."""
    out = tmp_path_factory.mktemp("trained") / "out"
    return out, train(samples, "--out", out)


def test_it_tells_what_it_does_and_where_the_weights_are(trained):
    out, outcome = trained
    assert outcome.code == 0, outcome.err
    assert outcome.out == f"weights: {out}/best.safetensors\ncurves: {out}/curves.png\n"
    lines = outcome.err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["step 2/4", "step 4/4"]
    assert "iou" in lines[0]
    assert lines[0].endswith("(best)")


def test_the_weights_are_read_as_any_converted_checkpoint(trained):
    weights = read_weights(trained[0] / "best.safetensors")
    options = Options.from_json(weights.metadata["options"], "best")
    assert options == Options(dino=False, depth_lookup="pixel", depth_read="full")
    build_classifier(weights.tensors, "best", options)


def test_pictures_show_held_out_samples(trained):
    names = sorted(path.name for path in (trained[0] / "examples").iterdir())
    assert names == ["00.png", "01.png"]


def test_started_again_it_asks_for_resume_and_with_it_does_nothing(trained, samples):
    out, _ = trained
    refused = train(samples, "--out", out)
    assert refused.code == 2
    assert refused.one_line.endswith("go on with --resume, or choose another folder")
    resumed = train(samples, "--out", out, "--resume")
    assert (resumed.code, resumed.one_line) == (0, "all 4 steps are made already")


def test_resuming_with_other_settings_names_them(trained, samples):
    outcome = train(samples, "--out", trained[0], "--resume", settings=["optimiser.clip=2"])
    assert outcome.code == 2
    assert "other settings (optimiser.clip)" in outcome.one_line


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("stpes=4", "unknown key 'stpes', did you mean 'steps'"),
        ("optimiser.rate=1", "unknown key 'optimiser.rate'"),
        ("steps=0", "steps: input should be greater than or equal to 1 (got 0)"),
        ("network.options.dino=perhaps", "network.options.dino"),
        ("data.backend=tapes", "data.backend: input should be 'files' or 'datasets' (got 'tapes')"),
        ("best=beauty", "best is 'beauty': this task measures iou, auc, loss"),
    ],
)
def test_a_wrong_setting_ends_in_one_line(tmp_path, samples, setting, told):
    outcome = train(samples, "--out", tmp_path / "out", settings=[setting])
    assert outcome.code == 2
    assert told.lower() in outcome.one_line.lower()
    assert not (tmp_path / "out").exists()


def test_without_a_folder_for_the_results_it_asks_for_one(samples):
    assert train(samples).one_line.endswith("names no folder for the results; give --out")


def test_samples_that_are_missing_end_in_one_line(tmp_path):
    outcome = train(tmp_path / "nowhere", "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "nowhere/train holds no samples" in outcome.one_line
    write_samples(tmp_path / "half", validation=0)
    outcome = train(tmp_path / "half", "--out", tmp_path / "out")
    assert "half/validation holds no samples" in outcome.one_line


def test_a_damaged_sample_ends_in_one_line(tmp_path):
    folder = write_samples(tmp_path / "samples", train=1, validation=1)
    (folder / "train/000.npz").write_bytes(b"nothing")
    outcome = train(folder, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "000.npz is no sample of tracks" in outcome.one_line


def test_a_sample_without_what_the_network_needs_ends_in_one_line(tmp_path):
    folder = write_samples(tmp_path / "samples")
    settings = ["network.options.dino=true"]
    for path in (folder / "train").iterdir():
        write_sample(path, replace(track_sample(), features=None))
    outcome = train(folder, "--out", tmp_path / "out", settings=settings)
    assert outcome.code == 2
    assert "the samples have no appearance features" in outcome.one_line


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_files_in_configs_are_valid(path, tmp_path):
    config = load_training(path, out=tmp_path)
    given = set(yaml.safe_load(path.read_text()))
    assert given <= set(type(config).model_fields)


def test_the_command_line_loads_neither_pytorch_nor_lightning():
    code = "import sys, moseg.cli.main; print({'torch', 'pytorch_lightning'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_it_trains_on_public_data_sets_of_which_those_without_weight_need_not_exist(tmp_path):
    for split in ("train", "validation"):
        tiny_scenes.kubric(tmp_path / "kubric", split=split)
    kubric = f"name: kubric, root: {tmp_path / 'kubric'}"
    settings = [
        *("steps=2", "validate_every=2", "checkpoint_every=2", "log_every=1", "workers=0"),
        *("device=cpu", "tensorboard=false", "network.options.dino=false"),
        f"data.train=[{{{kubric}, split: train}}, {{name: waymo, root: gone, weight: 0}}]",
        f"data.validation=[{{{kubric}, split: validation}}]",
        "data.validation_samples=2",
    ]
    words = [word for text in settings for word in ("--set", text)]
    outcome = moseg("train", CONFIGS / "track_classifier.yaml", *words, "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "out/best.safetensors").exists()
