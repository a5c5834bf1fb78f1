"""Several processes together."""

from __future__ import annotations

import pytest
import torch

from moseg.core.errors import ConfigError
from moseg.training import devices
from moseg.training.devices import is_first_process, lightning_arguments
from moseg.training.log import read_rows
from tests.training.toy import ToyTask, stored, toy_params, train_toy

NO_CHANCE = {"validate_every": 5, "checkpoint_every": 5, "steps": 10}


@pytest.mark.slow
def test_two_processes_train_as_one_does_with_the_doubled_batch(tmp_path):
    # Without dropout and batch statistics, which each process has for itself.
    task = ToyTask(dropout=0.0, plain=True)
    train_toy(tmp_path / "two", task, processes=2, batch=1, **NO_CHANCE)
    train_toy(tmp_path / "one", task, processes=1, batch=2, **NO_CHANCE)

    two, one = stored(tmp_path / "two"), stored(tmp_path / "one")
    assert two.keys() == one.keys()
    for name, value in one.items():
        assert torch.allclose(two[name], value, rtol=1e-5, atol=1e-6), name
    rows = [list(read_rows(tmp_path / name / "metrics.csv")) for name in ("two", "one")]
    assert [row[:2] for row in rows[0]] == [row[:2] for row in rows[1]]
    values = [[row.value for row in part] for part in rows]
    assert values[0] == pytest.approx(values[1], rel=1e-4)


@pytest.fixture
def torchrun(monkeypatch):
    """This process is the second of four on two machines."""
    monkeypatch.setattr(devices.dist, "is_torchelastic_launched", lambda: True)
    for name, value in {"RANK": 1, "WORLD_SIZE": 4, "LOCAL_WORLD_SIZE": 2}.items():
        monkeypatch.setenv(name, str(value))


def test_processes_of_torchrun_are_taken_as_they_are(torchrun):
    arguments = lightning_arguments(toy_params(processes=4))
    assert (arguments["devices"], arguments["num_nodes"]) == (2, 2)
    assert not is_first_process()


def test_another_number_of_processes_than_torchrun_started_is_refused(torchrun):
    with pytest.raises(ConfigError, match="torchrun started 4; set processes=4"):
        lightning_arguments(toy_params(processes=2))


def test_a_single_process_is_the_first():
    assert is_first_process()
    assert lightning_arguments(toy_params())["devices"] == 1
