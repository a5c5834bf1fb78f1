"""Labels from statistics, on numbers small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from moseg.motion.statistics import (
    FEATURE_WEIGHTS,
    LIMIT,
    POSITION_WEIGHT,
    PRIOR_SHARE,
    VOTERS_PER_SET,
    consensus,
    descriptors,
    label_set,
    pool_evidence,
    track_evidence,
    voter_rows,
)

Float32 = NDArray[np.float32]


def array(values: object) -> Float32:
    return np.array(values, np.float32)


def numbered(frames: int, height: int = 6, width: int = 9) -> Float32:
    """Maps whose value says frame, row and column: 100 t + 10 y + x."""
    t, y, x = np.mgrid[:frames, :height, :width]
    return array(100 * t + 10 * y + x)


def test_evidence_is_read_at_the_right_frame_and_pixel() -> None:
    xy = array([[[3, 2], [4, 2], [5, 1]], [[0, 0], [8, 5], [1.5, 2.25]]])
    found = track_evidence(numbered(7), 2, xy, np.ones((2, 3), bool))
    assert found.dtype == np.float32
    assert np.allclose(found, [[223, 324, 415], [200, 358, 424]])


def test_no_evidence_is_read_where_a_track_is_not_visible() -> None:
    visible = np.array([[True, False, False], [False, False, True]])
    found = track_evidence(numbered(3) + 1, 0, np.full((2, 3, 2), 2, np.float32), visible)
    assert found.tolist() == [[23, 0, 0], [0, 0, 223]]


def test_maps_of_frames_without_visible_tracks_are_not_read() -> None:
    asked: list[int] = []

    class Maps:
        def __getitem__(self, frame: int) -> Float32:
            asked.append(frame)
            return np.zeros((6, 9), np.float32)

    visible = np.array([[False, True, False, True]])
    track_evidence(Maps(), 10, np.zeros((1, 4, 2), np.float32), visible)
    assert asked == [11, 13]


def test_pooling_is_a_weighted_mean() -> None:
    pooled = pool_evidence(array([[4, -2, 0], [1, 1, 1]]), array([[1, 0.5, 0.5], [0.2, 0.9, 0]]))
    assert np.allclose(pooled, [1.5, 1])


def test_pooling_ignores_zero_confidence() -> None:
    evidence = array([[3, 1000, -1000], [5, 5, 5]])
    pooled = pool_evidence(evidence, array([[0.4, 0, 0], [0, 0, 0]]))
    assert np.allclose(pooled, [3, 0])


def test_descriptors_read_the_look_at_the_centre_of_the_cell() -> None:
    features = np.zeros((3, 4, 2), np.float16)
    features[1, 2] = 5, 7
    centre = array([[2 * 4 + 1.5, 1 * 4 + 1.5]])
    found = descriptors(features, 4, centre, 16)
    assert np.allclose(found, [[5, 7, *(centre[0] * POSITION_WEIGHT / 16)]])


def test_descriptors_of_the_built_in_features_are_weighted() -> None:
    features = np.ones((2, 2, len(FEATURE_WEIGHTS)), np.float16)
    found = descriptors(features, 4, array([[3, 3]]), 8)
    assert np.allclose(found[0, :-2], FEATURE_WEIGHTS)


def clusters() -> tuple[Float32, Float32]:
    """Two far groups of voters: of 20 each, 15 move in the first and 5 in the second."""
    rng = np.random.default_rng(0)
    looks = np.repeat(array([[0, 0, 0], [20, -20, 20]]), 20, axis=0)
    looks += rng.normal(0, 0.1, looks.shape).astype(np.float32)
    moving = np.arange(40) % 20 < np.repeat([15, 5], 20)
    return looks, np.where(moving, 3, -3).astype(np.float32)


def test_each_cluster_follows_its_majority() -> None:
    looks, votes = clusters()
    agreed = consensus(looks, looks, votes)
    assert agreed.dtype == np.float32
    assert agreed[:20].min() > 0
    assert agreed[20:].max() < 0
    sure = 1 / (1 + np.exp(-3.0))
    share = 0.75 * sure + 0.25 * (1 - sure)
    assert np.allclose(agreed[:20], np.log(share / (1 - share)), atol=0.05)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("voters", [clusters()[0], np.zeros((0, 3), np.float32)])
def test_where_nobody_is_alike_the_prior_stands(voters: Float32) -> None:
    votes = np.full(len(voters), 3, np.float32)
    agreed = consensus(array([[0, 300, 0], [-90, 0, 0]]), voters, votes)
    assert np.allclose(agreed, np.log(PRIOR_SHARE / (1 - PRIOR_SHARE)), atol=1e-4)


def test_nearer_voters_count_more() -> None:
    voters, votes = array([[0, 0], [3, 0]]), array([3, -3])
    agreed = consensus(array([[0.5, 0], [1.5, 0], [2.5, 0]]), voters, votes)
    assert agreed[0] > 1
    assert abs(agreed[1]) < 0.1
    assert agreed[2] < -1


def test_votes_count_by_a_gaussian_of_the_distance() -> None:
    voters, votes = array([[0, 0], [1, 2], [2.5, 0]]), array([2, -1, -2])
    asking = array([[0.2, 0.1], [2, 1]])
    square = ((asking[:, None] - voters[None]) ** 2).sum(axis=-1)
    kernel = np.exp(-square / 2)
    share = (kernel / (1 + np.exp(-votes))).sum(axis=1) / kernel.sum(axis=1)
    expected = np.log(share / (1 - share))
    assert np.allclose(consensus(asking, voters, votes), expected, atol=0.01)


def test_consensus_does_not_depend_on_where_looks_are_centred() -> None:
    looks, votes = clusters()
    looks = np.round(looks * 64) / 64  # so that adding a whole number is exact
    far = consensus(looks + 1000, looks + 1000, votes)
    assert np.allclose(far, consensus(looks, looks, votes), atol=1e-3)


def test_every_track_of_a_large_set_is_answered() -> None:
    looks, votes = clusters()
    asking = np.tile(looks[[0, 30]], (1300, 1))
    agreed = consensus(asking, looks, votes)
    assert np.allclose(agreed.reshape(1300, 2), consensus(looks[[0, 30]], looks, votes), atol=1e-4)


def test_labels_are_bounded() -> None:
    evidence, extremes = array([[-90, 0, 90]] * 3), array([-50, 0, 50])
    log_odds, probability = label_set(evidence, extremes, extremes)
    assert log_odds.shape == (3, 3)
    assert log_odds.dtype == probability.dtype == np.float32
    assert log_odds.min() == -LIMIT
    assert log_odds.max() == LIMIT
    sure = 1 / (1 + np.exp(-LIMIT))
    assert probability[[0, 2]] == pytest.approx([1 - sure, sure])


def test_labels_rise_with_each_of_their_reasons() -> None:
    low, high = array([-1]), array([1])
    still = np.zeros((1, 2), np.float32)
    base, probability = label_set(still, low, low)
    by_pool, more = label_set(still, high, low)
    by_others, most = label_set(still, low, high)
    assert (base < by_pool).all()
    assert (by_pool < by_others).all(), "the others weigh more than the track's own evidence"
    assert probability < more < most
    rising, unchanged = label_set(array([[0, 2]]), low, low)
    assert rising[0, 0] == base[0, 0]
    assert rising[0, 1] > base[0, 1]
    assert unchanged == probability


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 5000), st.integers(1, 400))
def test_voters_are_evenly_spread(count: int, voters: int) -> None:
    rows = voter_rows(count, voters)
    assert len(rows) == min(count, voters)
    if len(rows):
        assert rows[0] == 0
        assert rows[-1] < count
        gaps = np.diff(np.append(rows, count))
        assert gaps.min() >= 1
        assert gaps.max() - gaps.min() <= 1


def test_small_sets_vote_whole() -> None:
    assert voter_rows(0).tolist() == []
    assert voter_rows(5).tolist() == [0, 1, 2, 3, 4]
    assert len(voter_rows(10 * VOTERS_PER_SET)) == VOTERS_PER_SET
