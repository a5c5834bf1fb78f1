"""Labels of tracks from masks, track IoU, curves over thresholds, and the training loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from moseg.evaluation.track_measures import (
    THRESHOLDS,
    ThresholdCounts,
    balanced_cross_entropy,
    track_iou,
)
from tests.motion.sampling_files import files_with

Judged = tuple[NDArray[np.float32], NDArray[np.bool_]]


def arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    with np.load(path) as stored:
        return dict(stored)


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_iou_pred"))
def test_iou_of_the_reference(path: Path) -> None:
    known = arrays(path)
    batch = list(zip(known["in_iou_pred"][:, 0], known["in_iou_label"][:, 0] > 0, strict=True))
    for threshold, expected in zip(known["in_iou_thresholds"], known["out_iou"], strict=True):
        found = np.mean([track_iou(pred > threshold, label) for pred, label in batch])
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
    nothing = np.zeros(batch[0][1].shape, np.bool_)
    assert track_iou(nothing, nothing) == known["out_iou_empty"]


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("out_bce"))
def test_loss_of_the_reference(path: Path) -> None:
    known = arrays(path)
    found = balanced_cross_entropy(known["in_iou_pred"][0, 0], known["in_iou_label"][0, 0] > 0)
    assert found == pytest.approx(float(known["out_bce"]), rel=1e-6, abs=1e-6)


def test_iou() -> None:
    chosen, moving = np.array([1, 1, 1, 0, 0], bool), np.array([0, 1, 1, 1, 0], bool)
    assert track_iou(chosen, moving) == pytest.approx(0.5)
    assert track_iou(moving, moving) == pytest.approx(1)
    assert track_iou(chosen, ~chosen) == 0


@st.composite
def judged(draw: st.DrawFn) -> Judged:
    count = draw(st.integers(2, 40))
    probability = draw(
        st.lists(st.sampled_from([0.0, 0.3, 0.5, 1.0]), min_size=count, max_size=count)
    )
    moving = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    moving[:2] = [False, True]
    return np.array(probability, np.float32), np.array(moving)


@given(judged())
def test_curves_count_what_exceeds_each_threshold(tracks: Judged) -> None:
    probability, moving = tracks
    counts = ThresholdCounts.of(probability, moving)
    assert len(THRESHOLDS) == 100
    for at in (0, 1, 29, 30, 50, 98, 99):
        chosen = probability > THRESHOLDS[at]
        hits = np.count_nonzero(chosen & moving)
        assert counts.recall[at] == hits / moving.sum()
        assert counts.false_positive_rate[at] == (chosen & ~moving).sum() / (~moving).sum()
        assert counts.precision[at] == (hits / chosen.sum() if chosen.any() else 1)


@given(judged())
def test_area_is_the_chance_that_a_moving_track_is_above_a_still_one(tracks: Judged) -> None:
    probability, moving = tracks
    up, down = probability[moving][:, None], probability[~moving][None]
    chance = (up > down).mean() + (up == down).mean() / 2
    assert ThresholdCounts.of(probability, moving).area == pytest.approx(chance)


def test_counts_of_scenes_add_up() -> None:
    rng = np.random.default_rng(1)
    probability, moving = rng.random(50).astype(np.float32), rng.random(50) > 0.6
    parts = [ThresholdCounts.of(probability[s], moving[s]) for s in (slice(20), slice(20, None))]
    whole, added = ThresholdCounts.of(probability, moving), parts[0] + parts[1]
    np.testing.assert_array_equal(whole.hits, added.hits)
    np.testing.assert_array_equal(whole.false_alarms, added.false_alarms)
    assert (whole.moving, whole.still) == (added.moving, added.still)


def test_perfect_and_useless_tracks() -> None:
    moving = np.array([True] * 5 + [False] * 15)
    perfect = ThresholdCounts.of(np.where(moving, 0.9, 0.1).astype(np.float32), moving)
    assert (perfect.area, perfect.average_precision) == pytest.approx((1, 1))
    useless = ThresholdCounts.of(np.full(20, 0.4, np.float32), moving)
    assert (useless.area, useless.average_precision) == pytest.approx((0.5, 0.25))
    upside_down = ThresholdCounts.of(np.where(moving, 0.1, 0.9).astype(np.float32), moving)
    assert upside_down.area == pytest.approx(0)


@pytest.mark.filterwarnings("error")
def test_one_sort_of_track_alone_has_no_curve() -> None:
    for moving in (np.zeros(3, np.bool_), np.ones(3, np.bool_)):
        assert np.isnan(ThresholdCounts.of(np.ones(3, np.float32), moving).area)
    none = ThresholdCounts.of(np.zeros(0, np.float32), np.zeros(0, np.bool_))
    assert np.isnan(none.average_precision)
    assert np.isnan(balanced_cross_entropy(np.zeros(0), np.zeros(0, np.bool_)))


def test_loss_weighs_both_sorts_the_same_and_is_bounded() -> None:
    moving = np.array([True] + [False] * 9)
    for wrong in (0, 5):
        probability = np.where(moving, 0.8, 0.2)
        probability[wrong] = 1 - probability[wrong]
        right = 10 * [-np.log(0.8)]
        right[wrong] = -np.log(0.2)
        expected = (9 * right[0] + sum(right[1:])) / 10
        assert balanced_cross_entropy(probability, moving) == pytest.approx(expected, rel=1e-5)
    assert balanced_cross_entropy(np.zeros(4), np.ones(4, np.bool_)) == 0  # the weight is 0
    assert balanced_cross_entropy(np.ones(4), np.zeros(4, np.bool_)) == pytest.approx(100)
