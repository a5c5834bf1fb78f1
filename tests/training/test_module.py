"""The optimisers, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from moseg.training.config import OptimiserParams
from moseg.training.module import make_optimiser


def stepped(kind, gradient):
    """Return a weight of 2 after one step with a decay of 0.5 and a rate of 0.1."""
    network = nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(2.0)
    params = OptimiserParams(kind=kind, learning_rate=0.1, weight_decay=0.5)
    network.weight.grad = torch.full((1, 1), gradient)
    make_optimiser(params, network).step()
    return float(network.weight.detach())


def test_adam_adds_the_decay_to_the_gradient():
    # -1 + 0.5 * 2 = 0: nothing moves. Else the first step of Adam is as long as the rate.
    assert stepped("adam", -1.0) == pytest.approx(2.0)
    assert stepped("adam", -0.9) == pytest.approx(1.9, abs=1e-5)


def test_adamw_decays_apart_from_the_gradient():
    assert stepped("adamw", -0.9) == pytest.approx(2 * (1 - 0.1 * 0.5) + 0.1, abs=1e-5)


def test_what_is_frozen_is_not_trained():
    network = nn.Linear(1, 1)
    network.bias.requires_grad_(False)
    (group,) = make_optimiser(OptimiserParams(), network).param_groups
    assert group["params"] == [network.weight]
