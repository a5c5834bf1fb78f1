"""Which tracks are classified, and as what."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.point_features import nearest_cells
from moseg.core.track_array import parse_logits
from moseg.motion.sampling import choose_rows, draw_rows, make_sample, normalise, share
from tests.motion.sampling_files import files_with

TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}
SEEN, HIDDEN = -5.0, 5.0
"""Logits of occlusion."""


def tracks_of(occlusion: list[list[float]], distance: list[list[float]]) -> np.ndarray:
    """Return tracks [n, L, 4] whose x is the number of the track."""
    occluded = np.array(occlusion, np.float32)
    x = np.broadcast_to(np.arange(len(occluded))[:, None], occluded.shape)
    return np.stack([x, x, occluded, np.array(distance)], axis=-1).astype(np.float32)


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_sample_perm_final"))
def test_sample_as_the_reference_draws_it(path: Path) -> None:
    with np.load(path) as stored:
        numbers = sorted(
            int(m[1]) for k in stored if (m := re.fullmatch(r"in_sample_perm_(\d+)", k))
        )
        permutations = [stored[f"in_sample_perm_{number}"] for number in numbers]
        tracks = np.concatenate([stored[f"in_sample_tracks_{number}"] for number in numbers])
        limit = int(stored["in_sample_cap"])
        rows = choose_rows(permutations, stored["in_sample_perm_final"], limit)
        sample = make_sample(rows, tracks[rows])
        np.testing.assert_array_equal(sample.xy, stored["out_sample_xy"])
        np.testing.assert_array_equal(sample.visible, stored["out_sample_visible"])
        np.testing.assert_allclose(
            sample.visibility, stored["out_sample_visibility_value"], **TOLERANCE
        )
        np.testing.assert_allclose(
            sample.confidence, stored["out_sample_confidence_value"], **TOLERANCE
        )
        np.testing.assert_allclose(sample.confidence, stored["out_sample_confidence"], **TOLERANCE)
        np.testing.assert_array_equal(tracks[sample.rows][..., :2], sample.xy)


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_parse_occlusion"))
def test_logits_are_read_as_the_reference_does(path: Path) -> None:
    with np.load(path) as stored:
        visible, visibility, confidence = parse_logits(
            stored["in_parse_occlusion"], stored["in_parse_expected_dist"]
        )
        np.testing.assert_array_equal(visible, stored["out_parse_visible"])
        np.testing.assert_allclose(visibility, stored["out_parse_visibility_value"], **TOLERANCE)
        np.testing.assert_allclose(confidence, stored["out_parse_confidence_value"], **TOLERANCE)
        np.testing.assert_allclose(confidence, stored["out_parse_confidence"], **TOLERANCE)


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("out_normalized"))
def test_normalised_positions(path: Path) -> None:
    with np.load(path) as stored:
        height, width = map(int, stored["in_size_hw"])
        xy = stored["in_tracks"][0].transpose(1, 2, 0)
        found = normalise(xy, height, width).transpose(2, 0, 1)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, stored["out_normalized"][0], **TOLERANCE)


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_feat_map"))
def test_features_of_the_nearest_cell(path: Path) -> None:
    with np.load(path) as stored:
        height, width = map(int, stored["in_size_hw"])
        xy = stored["in_tracks"][0, :, :, int(stored["in_feat_query_frame"])].T
        found = nearest_cells(stored["in_feat_map"], xy, height, width)
        np.testing.assert_array_equal(found.T, stored["out_feat"][0, :, :, 0])


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    limit=st.integers(1, 50),
    seed=st.integers(0, 2**31),
)
def test_each_query_frame_gives_its_share(counts: list[int], limit: int, seed: int) -> None:
    rows = draw_rows(np.random.default_rng(seed), counts, limit)
    assert len(rows) == min(limit, sum(share(counts)))
    assert len(np.unique(rows)) == len(rows)
    last = np.cumsum(counts)
    owner = np.searchsorted(last, rows, side="right")
    given_by = np.bincount(owner, minlength=len(counts))
    assert (given_by <= share(counts)).all()
    again = draw_rows(np.random.default_rng(seed), counts, limit)
    np.testing.assert_array_equal(rows, again)


def test_share_is_one_in_as_many_as_there_are() -> None:
    assert share([40, 37, 44]) == [13, 12, 14]
    assert share([11440] * 10) == [1144] * 10
    assert share([2, 0, 7, 1, 1]) == [1, 0, 1, 1, 1], "few points, but not nothing"


def test_another_seed_draws_others_and_all_alike() -> None:
    rng = np.random.default_rng(0)
    times = np.zeros(60)
    for _ in range(1500):
        np.add.at(times, draw_rows(rng, [30, 30], 20), 1)
    expected = 1500 * 20 / 60
    assert abs(times - expected).max() < 5 * np.sqrt(expected)


@pytest.mark.parametrize(("count", "kept"), [(4999, 4999), (5000, 5000), (5001, 5000)])
def test_the_limit(count: int, kept: int) -> None:
    assert len(draw_rows(np.random.default_rng(0), [count], 5000)) == kept


def test_a_track_that_is_never_visible_is_left_out() -> None:
    rows = np.array([7, 8, 9])
    sample = make_sample(
        rows, tracks_of([[SEEN, SEEN], [HIDDEN, HIDDEN], [HIDDEN, SEEN]], [[-5, -5]] * 3)
    )
    assert sample.rows.tolist() == [7, 9]
    assert sample.xy[:, 0, 0].tolist() == [0, 2]
    assert sample.visible.tolist() == [[True, True], [False, True]]


def test_a_frame_without_visible_tracks_gets_the_surest() -> None:
    occlusion = [[SEEN, HIDDEN, SEEN], [SEEN, HIDDEN, SEEN], [SEEN, HIDDEN, HIDDEN]]
    distance = [[-5, -3, -5], [-5, -6, -5], [-5, -4, -5]]
    sample = make_sample(np.arange(3), tracks_of(occlusion, distance))
    assert sample.visible[:, 1].tolist() == [False, True, False]
    assert sample.visible[:, 2].tolist() == [True, True, False]
    assert sample.visible[:, 0].all()


def test_a_track_left_out_does_not_fill_a_frame() -> None:
    # The never visible track is the surest in the middle frame, but is not there any more.
    occlusion = [[SEEN, HIDDEN, SEEN], [HIDDEN, HIDDEN, HIDDEN]]
    sample = make_sample(np.arange(2), tracks_of(occlusion, [[-5, -2, -5], [-9, -9, -9]]))
    assert sample.rows.tolist() == [0]
    assert sample.visible.all()


def test_nothing_is_visible() -> None:
    sample = make_sample(np.arange(2), tracks_of([[HIDDEN] * 3] * 2, [[-5] * 3] * 2))
    assert len(sample) == 0
    assert sample.xy.shape == (0, 3, 2)


def test_positions_are_cut_off_at_the_edges() -> None:
    xy = np.array([[0, 0], [64, 36], [32, 18], [-9, 99]], np.float32)
    found = normalise(xy, height=36, width=64)
    assert found.tolist() == [[-1, -1], [1, 1], [0, 0], [-1, 1]]
