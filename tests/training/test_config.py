"""The settings of the trainer."""

from __future__ import annotations

import pytest

from moseg.core.config import validate
from moseg.core.errors import ConfigError
from moseg.training.config import TrainingParams, differing_keys
from tests.training.toy import toy_params


def refused(**over):
    data = toy_params().model_dump() | over
    with pytest.raises(ConfigError) as told:
        validate(TrainingParams, data, "toy.yaml")
    return str(told.value)


def test_an_unknown_key_is_named_with_its_neighbour():
    assert refused(step=7) == "toy.yaml: unknown key 'step', did you mean 'steps'"


def test_checkpoints_come_with_a_row_of_the_log():
    text = refused(log_every=4)
    assert "checkpoint_every is 10, which is no multiple of log_every, 4" in text


def test_a_warm_up_that_never_ends_is_refused():
    assert "only 40 steps" in refused(schedule={"warmup": 40})


def test_where_it_lies_and_who_makes_samples_are_not_frozen():
    one, other = toy_params(out="a", workers=1), toy_params(out="b", workers=2)
    assert differing_keys(one.frozen(), other.frozen()) == []


def test_differing_keys_are_named_as_they_are_written():
    one = {"seed": 0, "optimiser": {"kind": "adam", "clip": 1.0}, "gone": 1}
    other = {"seed": 0, "optimiser": {"kind": "adamw", "clip": 1.0}, "new": None}
    assert differing_keys(one, other) == ["optimiser.kind", "gone", "new"]
