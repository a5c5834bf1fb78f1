"""The moving average of weights, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from moseg.training.average import Average, average_decay


def test_the_first_averages_forget_fast():
    assert [average_decay(0.5, step) for step in (0, 2, 8, 100)] == [0.1, 0.25, 0.5, 0.5]


def test_the_average_of_two_steps():
    network = nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(1.0)
    average = Average(network, 0.9)
    network.weight.data.fill_(2.0)
    average.update(network, 0)
    assert average.network.weight.item() == pytest.approx(0.1 * 1 + 0.9 * 2)
    network.weight.data.fill_(3.0)
    average.update(network, 1)
    assert average.network.weight.item() == pytest.approx(2 / 11 * 1.9 + 9 / 11 * 3)
    assert network.weight.item() == 3.0


def test_counters_and_running_means_are_copied():
    network = nn.BatchNorm1d(2)
    average = Average(network, 0.999)
    network.train()(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    average.update(network, 1000)
    assert average.network.num_batches_tracked.item() == 1
    assert torch.equal(average.network.running_mean, network.running_mean)


def test_nothing_of_the_average_is_trained():
    average = Average(nn.Linear(2, 2), 0.9)
    assert not any(weight.requires_grad for weight in average.parameters())
