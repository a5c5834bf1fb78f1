"""The log."""

from __future__ import annotations

import pytest

from moseg.core.errors import OutputError
from moseg.training.log import Log, Row, has_tensorboard, read_rows


def test_values_are_read_back_as_they_were_written(tmp_path):
    log = Log(tmp_path / "metrics.csv", 0)
    log.write(5, "training", {"loss": 0.1 + 0.2})
    log.write(10, "validation", {"auc": float("inf"), "name, with comma": 1.0})
    assert list(read_rows(tmp_path / "metrics.csv")) == [
        Row(5, "training/loss", 0.1 + 0.2),
        Row(10, "validation/auc", float("inf")),
        Row(10, "validation/name, with comma", 1.0),
    ]


def test_rows_of_steps_that_are_made_again_are_taken_out(tmp_path):
    path = tmp_path / "metrics.csv"
    Log(path, 0).write(5, "training", {"loss": 1.0})
    Log(path, 5).write(10, "training", {"loss": 2.0})
    Log(path, 5).write(10, "training", {"loss": 3.0})
    assert [row.value for row in read_rows(path)] == [1.0, 3.0]


def test_half_a_row_of_a_killed_process_is_no_row(tmp_path):
    path = tmp_path / "metrics.csv"
    Log(path, 0).write(5, "training", {"loss": 1.0})
    with path.open("a") as file:
        file.write("5,training/gradient_norm,12")
    assert [row.name for row in read_rows(path)] == ["training/loss"]
    Log(path, 5).write(10, "training", {"loss": 2.0})
    assert [row.value for row in read_rows(path)] == [1.0, 2.0]


def test_a_folder_that_is_gone_ends_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        Log(tmp_path / "file" / "metrics.csv", 0)


@pytest.mark.skipif(not has_tensorboard(), reason="TensorBoard is not installed")
def test_tensorboard_gets_the_same_values(tmp_path):
    log = Log(tmp_path / "metrics.csv", 0, tmp_path / "board")
    log.write(5, "training", {"loss": 0.25})
    log.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path / "board"))
    found.Reload()
    (event,) = found.Scalars("training/loss")
    assert (event.step, event.value) == (5, 0.25)
