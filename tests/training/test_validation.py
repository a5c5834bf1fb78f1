"""Which value is the best."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from moseg.training.validation import asking, is_better

NAN = float("nan")


@pytest.mark.parametrize(
    ("kind", "value", "best", "expected"),
    [
        ("largest", 0.5, NAN, True),
        ("largest", 0.5, 0.4, True),
        ("largest", 0.4, 0.4, False),
        ("largest", NAN, 0.4, False),
        ("largest", NAN, NAN, False),
        ("smallest", 0.5, 0.4, False),
        ("smallest", 0.3, 0.4, True),
        ("smallest", NAN, NAN, False),
    ],
)
def test_the_best_value(kind, value, best, expected):
    assert is_better(kind, value, best) is expected


@pytest.mark.parametrize("training", [True, False])
def test_a_network_that_was_asked_is_as_before_also_after_an_error(training):
    network = nn.Linear(1, 1).train(training)
    with pytest.raises(ZeroDivisionError), asking(network):
        assert not network.training
        assert not torch.is_grad_enabled()
        raise ZeroDivisionError
    assert network.training is training
    assert torch.is_grad_enabled()
