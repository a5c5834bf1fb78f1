"""The stream of batches."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from moseg.core.errors import InputError
from moseg.training import steps
from moseg.training.steps import Steps


class Told:
    """A task whose batches say what was asked for."""

    def batch(self, seed, step, slots):
        if step == 6:
            raise InputError("gone")
        return seed, step, list(slots)


def read(first, end, rank=0, batch=1):
    return list(Steps(Told(), 5, batch, rank, first, end))


def test_it_begins_where_the_training_goes_on():
    assert read(3, 6) == [(5, 3, [0]), (5, 4, [0]), (5, 5, [0])]


def test_processes_share_the_slots_of_a_step():
    assert [read(0, 1, rank, batch=2) for rank in (0, 1)] == [
        [(5, 0, [0, 1])],
        [(5, 0, [2, 3])],
    ]


def test_workers_take_turns(monkeypatch):
    streams = []
    for number in range(3):
        worker = SimpleNamespace(id=number, num_workers=3)
        monkeypatch.setattr(steps, "get_worker_info", lambda worker=worker: worker)
        streams.append([step for _, step, _ in read(10, 16)])
    assert streams == [[10, 13], [11, 14], [12, 15]]


def test_an_error_takes_the_place_of_its_batch():
    *_, failed = read(5, 7)
    assert isinstance(failed, InputError)
    assert str(failed) == "gone"


def test_faults_of_a_task_are_not_hidden():
    class Faulty(Told):
        def batch(self, seed, step, slots):
            raise ZeroDivisionError(seed, step, slots)

    with pytest.raises(ZeroDivisionError):
        list(Steps(Faulty(), 0, 1, 0, 0, 1))
