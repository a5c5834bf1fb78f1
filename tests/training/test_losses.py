"""The loss with class balance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moseg.training.losses import balanced_cross_entropy
from tests import parity


def loss_of(logits, truth, judged=None):
    judged = [True] * len(truth) if judged is None else judged
    tensors = torch.tensor(logits), torch.tensor(truth), torch.tensor(judged)
    return float(balanced_cross_entropy(*tensors))


@pytest.mark.parametrize("path", parity.cases("track_sampling", "functions.npz"))
def test_it_is_the_reference_loss_of_the_probabilities(path):
    with np.load(path) as known:
        probability = torch.from_numpy(known["in_iou_pred"][0, 0].astype(np.float64))
        truth = torch.from_numpy(known["in_iou_label"][0, 0] > 0)
        expected = float(known["out_bce"])
    found = balanced_cross_entropy(torch.logit(probability), truth, torch.ones_like(truth))
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_one_positive_weighs_as_much_as_three_negatives():
    loss = loss_of([1.0, 0.0, 0.0, 0.0], [True, False, False, False])
    assert loss == pytest.approx((3 * np.log1p(np.exp(-1)) + 3 * np.log(2)) / 4, rel=1e-5)


def test_without_positives_it_is_the_plain_mean():
    assert loss_of([0.0, 0.0], [False, False]) == pytest.approx(np.log(2))


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.booleans(), st.booleans()), min_size=1, max_size=12)
)
def test_entries_that_are_not_judged_do_not_count(entries):
    logits, truth, judged = map(list, zip(*entries, strict=True))
    whole = loss_of(logits, truth, judged)
    kept = [entry for entry in entries if entry[2]]
    alone = loss_of(*map(list, zip(*kept, strict=True))) if kept else 0.0
    assert whole == pytest.approx(alone, rel=1e-4, abs=1e-6)


def test_where_nothing_is_judged_there_is_a_gradient_and_it_is_0():
    logits = torch.ones(3, requires_grad=True)
    none = torch.zeros(3, dtype=torch.bool)
    balanced_cross_entropy(logits, none, none).backward()
    assert logits.grad is not None
    assert logits.grad.tolist() == [0, 0, 0]


def test_very_sure_and_wrong_logits_stay_numbers():
    assert np.isfinite(loss_of([-1e4, 1e4], [True, False]))
