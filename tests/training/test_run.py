"""A whole training of a toy: what it leaves, what it resumes, what it refuses."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
import yaml
from PIL import Image
from safetensors import safe_open
from torch.multiprocessing import ProcessRaisedException

from moseg.core.errors import ConfigError, InputError, OutputError
from moseg.training.log import read_rows
from moseg.training.module import TaskModule
from moseg.training.run import told_by_process
from moseg.training.schedule import rate_factor
from moseg.training.watch import Diverged
from tests.training.toy import ToyTask, assert_same_weights, stored, toy_params, train_toy

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """40 steps at once."""
    out = tmp_path_factory.mktemp("training") / "undisturbed"
    train_toy(out)
    return out


@pytest.mark.slow
def test_a_killed_training_that_goes_on_ends_as_an_undisturbed_one(tmp_path, undisturbed):
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.training.killed", str(tmp_path / "out")]
    done = subprocess.run(command, env=variables, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert torch.load(tmp_path / "out/last.ckpt", weights_only=True)["global_step"] == 20

    said = train_toy(tmp_path / "out", resume=True)

    assert said[0] == "going on after step 20"
    assert_same_weights(tmp_path / "out", undisturbed)
    for name in ("best.safetensors", "metrics.csv", "config.yaml", "curves.png"):
        assert (tmp_path / "out" / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert not list((tmp_path / "out").rglob(".partial*"))


def test_a_training_leaves_weights_settings_log_and_pictures(undisturbed):
    found = {str(path.relative_to(undisturbed)) for path in undisturbed.rglob("*.*")}
    assert found == {
        "best.safetensors",
        "config.yaml",
        "curves.png",
        "examples/grey.png",
        "last.ckpt",
        "metrics.csv",
    }
    with Image.open(undisturbed / "examples/grey.png") as picture:
        assert picture.size == (6, 4)
    assert yaml.safe_load((undisturbed / "config.yaml").read_text()) == toy_params().frozen()


def test_the_loss_falls(undisturbed):
    losses = [row.value for row in read_rows(undisturbed / "metrics.csv") if "loss" in row.name]
    assert losses[-1] < losses[0] / 2


def test_each_step_is_in_the_log_once(undisturbed):
    rows = list(read_rows(undisturbed / "metrics.csv"))
    losses = [row.step for row in rows if row.name == "training/loss"]
    errors = [row.step for row in rows if row.name == "validation/error"]
    assert losses == [5, 10, 15, 20, 25, 30, 35, 40]
    assert errors == [20, 40]


def test_the_best_weights_are_those_of_the_best_validation(tmp_path):
    task = ToyTask(scores=(0.3, 0.9, 0.4, float("nan")))

    said = train_toy(tmp_path / "out", task, best="score", validate_every=10)

    assert [line.endswith("(best)") for line in said] == [True, True, False, False]
    with safe_open(tmp_path / "out/best.safetensors", framework="pt") as file:
        told = file.metadata()
        kept = file.get_tensor("0.weight")
    assert told == {"format": "pt", "kind": "toy", "step": "20", "score": "0.9"}
    # The same training, of which the measure liked the last step best.
    train_toy(tmp_path / "other", ToyTask(scores=(0.1, 0.2)), best="score")
    assert not torch.equal(kept, stored(tmp_path / "other")["average.network.0.weight"])


def test_the_best_weights_of_the_last_step_are_those_of_the_average(undisturbed):
    average = {
        name.removeprefix("average.network."): value
        for name, value in stored(undisturbed).items()
        if name.startswith("average.")
    }
    with safe_open(undisturbed / "best.safetensors", framework="pt") as file:
        assert file.metadata()["step"] == "40"
        assert set(file.keys()) == set(average)
        assert all(torch.equal(file.get_tensor(name), average[name]) for name in average)


def test_without_an_average_the_network_itself_is_kept(tmp_path):
    train_toy(tmp_path / "out", ema=None, steps=20)
    last = stored(tmp_path / "out")
    with safe_open(tmp_path / "out/best.safetensors", framework="pt") as file:
        assert all(torch.equal(file.get_tensor(k), last[f"network.{k}"]) for k in file.keys())  # noqa: SIM118


def test_another_seed_gives_other_weights(tmp_path, undisturbed):
    train_toy(tmp_path / "out", seed=1)
    name = "network.0.weight"
    assert not torch.equal(stored(tmp_path / "out")[name], stored(undisturbed)[name])


def test_bfloat16_trains_weights_that_stay_float32(tmp_path, undisturbed):
    train_toy(tmp_path / "out", precision="bfloat16")
    weights = stored(tmp_path / "out")
    exact = stored(undisturbed)
    assert weights["network.0.weight"].dtype == torch.float32
    assert not torch.equal(weights["network.0.weight"], exact["network.0.weight"])
    assert torch.allclose(weights["network.0.weight"], exact["network.0.weight"], atol=0.05)


def test_settings_that_differ_are_named_and_nothing_is_touched(tmp_path, undisturbed):
    before = (undisturbed / "last.ckpt").read_bytes()
    with pytest.raises(ConfigError) as refused:
        train_toy(undisturbed, resume=True, seed=1, optimiser={"learning_rate": 0.1, "clip": 1.0})
    assert "(seed, optimiser.learning_rate)" in str(refused.value)
    assert (undisturbed / "last.ckpt").read_bytes() == before


def test_a_finished_training_is_left_alone(undisturbed):
    before = (undisturbed / "last.ckpt").read_bytes()
    assert train_toy(undisturbed, resume=True) == ["all 40 steps are made already"]
    assert (undisturbed / "last.ckpt").read_bytes() == before


def test_a_folder_with_a_training_is_not_written_over(undisturbed):
    with pytest.raises(ConfigError, match="go on with --resume, or choose another folder"):
        train_toy(undisturbed)


def test_there_is_nothing_to_resume_in_an_empty_folder(tmp_path):
    with pytest.raises(ConfigError, match="holds no training; leave out --resume"):
        train_toy(tmp_path, resume=True)


def test_a_damaged_checkpoint_is_told_and_kept(tmp_path):
    train_toy(tmp_path, steps=10)
    last = tmp_path / "last.ckpt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"last.ckpt is damaged; delete it"):
        train_toy(tmp_path, steps=10, resume=True)
    assert last.stat().st_size == 1000


def test_killed_before_the_first_checkpoint_it_starts_from_the_beginning(tmp_path):
    train_toy(tmp_path / "whole", steps=10)
    train_toy(tmp_path / "out", steps=10)
    (tmp_path / "out/last.ckpt").unlink()
    train_toy(tmp_path / "out", steps=10, resume=True)
    assert_same_weights(tmp_path / "out", tmp_path / "whole")
    log = (tmp_path / "out/metrics.csv").read_bytes()
    assert log == (tmp_path / "whole/metrics.csv").read_bytes()


def test_an_unknown_measure_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match="best is 'iou': this task measures error, score"):
        train_toy(tmp_path / "out", best="iou")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_workers_that_make_samples_ahead_change_neither_weights_nor_errors(tmp_path):
    for workers in (0, 1):
        with pytest.raises(InputError) as failed:
            train_toy(tmp_path / str(workers), ToyTask(fails_at=13), workers=workers)
        assert str(failed.value) == "frame 7 is gone; bring it back"
    assert_same_weights(tmp_path / "0", tmp_path / "1")


def test_a_loss_that_is_no_number_ends_the_training_before_its_checkpoint(tmp_path):
    with pytest.raises(Diverged, match="not a number any more at step 20; set a smaller"):
        train_toy(tmp_path / "out", ToyTask(breaks_at=17))
    checkpoint = torch.load(tmp_path / "out/last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 10


def test_an_error_of_another_process_is_told_as_it_is():
    text = "\n\n-- Process 1 failed:\nTraceback\nmoseg.core.errors.InputError: a: b is gone\n"
    told = told_by_process(ProcessRaisedException(text, 0, 1))
    assert isinstance(told, InputError)
    assert str(told) == "a: b is gone"
    assert told_by_process(ProcessRaisedException("x\nKeyError: 'a'", 0, 1)) is None


def test_gradients_are_clipped_and_logged_as_they_were(tmp_path):
    # Plain steps along the gradient would show the cut; Adam divides by its size, so that only
    # the log tells, and a tiny cut starves it of all but its decay constant.
    clipped = {"learning_rate": 0.01, "clip": 1e-12}
    train_toy(tmp_path / "cut", steps=5, checkpoint_every=5, optimiser=clipped, ema=None)
    train_toy(tmp_path / "free", steps=5, checkpoint_every=5, ema=None)
    norms = [
        row.value
        for name in ("cut", "free")
        for row in read_rows(tmp_path / name / "metrics.csv")
        if row.name == "training/gradient_norm"
    ]
    assert norms[0] > 0.1
    begun = TaskModule(ToyTask(), toy_params()).network.state_dict()["0.weight"]
    moved = [
        float((stored(tmp_path / name)["network.0.weight"] - begun).abs().max())
        for name in ("cut", "free")
    ]
    assert moved[0] < 1e-4 < 1e-3 < moved[1]


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    train_toy(tmp_path, steps=10)
    before = (tmp_path / "last.ckpt").read_bytes()

    def full(trainer, path):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(pl.Trainer, "save_checkpoint", full)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(toy_params(steps=20).frozen()))
    with pytest.raises(OutputError, match="the disk is full"):
        train_toy(tmp_path, steps=20, resume=True)
    assert (tmp_path / "last.ckpt").read_bytes() == before
    assert not list(tmp_path.glob(".partial*"))


def test_the_learning_rate_follows_the_schedule(undisturbed):
    params = toy_params()
    rates = {
        row.step: row.value
        for row in read_rows(undisturbed / "metrics.csv")
        if row.name == "training/learning_rate"
    }
    expected = {step: 0.01 * rate_factor(params.schedule, step - 1, 40) for step in range(5, 41, 5)}
    assert rates == pytest.approx(expected)


def test_a_task_is_told_to_go_on_with_training_after_a_validation(tmp_path):
    modes = []

    class Listening(ToyTask):
        def loss(self, network, batch):
            modes.append(network.training)
            return super().loss(network, batch)

    train_toy(tmp_path, Listening(), steps=10, validate_every=5, ema=None)
    validation = [False] * 3
    assert modes == [True] * 5 + validation + [True] * 5 + validation


def test_the_best_value_is_remembered_by_a_training_that_goes_on(tmp_path):
    told = {"best": "score", "validate_every": 10}
    with pytest.raises(InputError):
        train_toy(tmp_path, ToyTask(scores=(0.3, 0.9), fails_at=25), **told)

    train_toy(tmp_path, ToyTask(scores=(0.5,)), resume=True, **told)

    with safe_open(tmp_path / "best.safetensors", framework="pt") as file:
        assert (file.metadata()["step"], file.metadata()["score"]) == ("20", "0.9")


def test_the_last_step_is_logged_judged_and_kept_whatever_its_number(tmp_path):
    train_toy(tmp_path, steps=12)
    last = {row.name for row in read_rows(tmp_path / "metrics.csv") if row.step == 12}
    assert {"training/loss", "validation/error"} <= last
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 12
