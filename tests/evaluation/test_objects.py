"""J and F of several objects: pairs as measured one by one, and matching."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from moseg.evaluation import measures
from moseg.evaluation.frame_pairs import FrameMasks, FramePair, Labels, SequencePairs
from moseg.evaluation.objects import (
    FrameTable,
    MatchBy,
    MatchedReader,
    PairSeries,
    compare_objects,
    match_objects,
    pair_series,
    score_objects,
    score_sequence,
)

SIZE = (13, 17)
LABELS = arrays(np.uint8, SIZE, elements=st.sampled_from([0, 0, 0, 1, 2, 4]), fill=st.just(0))
VOID = arrays(np.bool_, SIZE, fill=st.just(False))
BLOCKS = [
    (slice(1, 5), slice(1, 8)),
    (slice(6, 12), slice(2, 8)),
    (slice(6, 12), slice(9, 16)),
]


def clip(ids: tuple[int, ...], length: int = 4, late: int = 0) -> list[Labels]:
    """Blocks with these ids that grow by a column a frame, each `late` frames after the last."""
    frames = [np.zeros(SIZE, np.uint8) for _ in range(length)]
    for number, label in enumerate(ids):
        for index in range(number * late, length):
            rows, columns = BLOCKS[number]
            frames[index][rows, columns.start : columns.stop - length + index] = label
    return frames


def tables(pred: list[Labels], truth: list[Labels]) -> list[FrameTable]:
    return [compare_objects(FrameMasks(*both)) for both in zip(truth, pred, strict=True)]


def sequence(length: int = 4) -> SequencePairs:
    stems = [f"{index:05d}" for index in range(length)]
    pairs = tuple(FramePair(stem, (Path(f"gt/dog/{stem}.png"),), None) for stem in stems)
    return SequencePairs("dog", Path("pred/dog"), pairs)


@given(LABELS, LABELS, st.none() | VOID)
def test_pairs_are_as_measured_one_by_one(
    pred: Labels, truth: Labels, void: measures.Mask | None
) -> None:
    series = pair_series([compare_objects(FrameMasks(truth, pred, void))], (1, 2, 3, 4))
    assert series.region.shape == series.boundary.shape == (4, 4, 1)
    for row, proposal in enumerate(series.proposals):
        for column, label in enumerate(series.objects):
            one, other = pred == proposal, truth == label
            region = measures.region_similarity(one, other, void)
            boundary = measures.boundary_measure(one, other, void)
            assert series.region[row, column, 0] == region
            assert series.boundary[row, column, 0] == boundary


@given(st.permutations(range(1, 6)), st.sampled_from(["J&F", "J", "F"]))
def test_other_ids_of_the_proposals_change_nothing(order: list[int], by: MatchBy) -> None:
    truth, pred = clip((1, 2, 3)), clip((2, 5, 1), late=1)
    renamed = np.array([0, *order], np.uint8)
    plain = score_sequence(sequence(), tables(pred, truth), (1, 2, 3), by)
    other = score_sequence(
        sequence(), tables([renamed[frame] for frame in pred], truth), (1, 2, 3), by
    )
    assert other.figures == plain.figures
    for one, same in zip(plain.objects, other.objects, strict=True):
        assert (same.label, same.figures) == (one.label, one.figures)
        assert one.matched is not None
        assert same.matched == renamed[one.matched]


@given(st.permutations(range(1, 4)))
def test_objects_are_listed_by_the_id_of_the_truth(order: list[int]) -> None:
    first, second, third = order
    score = score_sequence(
        sequence(), tables(clip((7, 9, 8)), clip((first, second, third))), (1, 2, 3)
    )
    found = {one.label: one.matched for one in score.objects}
    assert list(found) == [1, 2, 3]
    assert found == {first: 7, second: 9, third: 8}
    assert score.figures["J&F-Mean"] == 1


def test_ids_that_come_and_go_keep_their_place() -> None:
    truth, pred = clip((1, 2), late=2), clip((6, 3), late=2)
    series = pair_series(tables(pred, truth), (1, 2))
    assert series.proposals == (1, 2, 3, 4, 5, 6)
    assert series.present == {3, 6}
    np.testing.assert_array_equal(series.region[5, 0], [1, 1, 1, 1])
    np.testing.assert_array_equal(series.region[2, 1], [1, 1, 1, 1])  # both empty at first
    np.testing.assert_array_equal(series.region[5, 1], [0, 0, 0, 0])
    np.testing.assert_array_equal(series.region[2, 0], [0, 0, 0, 0])
    np.testing.assert_array_equal(series.region[0, 1], [1, 1, 0, 0])  # id 1 is never there


def test_an_object_that_is_not_scored_matches_nothing() -> None:
    score = score_sequence(sequence(), tables(clip((1, 2)), clip((2, 1))), (1,))
    assert [(one.label, one.matched) for one in score.objects] == [(1, 2)]


def test_fewer_proposals_than_objects_are_filled_up_with_empty_masks() -> None:
    score = score_sequence(sequence(), tables(clip((1,)), clip((3, 2, 1))), (1, 2, 3))
    assert [one.matched for one in score.objects] == [None, None, 1]
    assert [one.figures["J-Mean"] for one in score.objects] == [0, 0, 1]
    np.testing.assert_allclose(score.series["J"], 1 / 3)
    assert score.figures["J-Mean"] == pytest.approx(1 / 3)


def test_proposals_left_over_cost_nothing() -> None:
    score = score_sequence(sequence(), tables(clip((1, 2, 3)), clip((1,))), (1,))
    assert score.figures["J&F-Mean"] == 1


def test_nothing_predicted_at_all() -> None:
    empty = [np.zeros(SIZE, np.uint8)] * 4
    score = score_sequence(sequence(), tables(empty, clip((1, 2), late=2)), (1, 2))
    assert [one.matched for one in score.objects] == [None, None]
    assert [one.figures["J-Mean"] for one in score.objects] == [0, 0.5]


def test_matching_is_by_the_measure_that_is_asked_for() -> None:
    """Proposal 1 is the better region, proposal 2 the better boundary."""
    region = np.array([[[0.9]], [[0.5]]])
    boundary = np.array([[[0.1]], [[0.8]]])
    series = PairSeries((1, 2), frozenset({1, 2}), (4,), region, boundary)
    assert match_objects(series, "J") == {4: 1}
    assert match_objects(series, "F") == {4: 2}
    assert match_objects(series) == {4: 2}


def test_one_assignment_holds_for_the_whole_sequence() -> None:
    """Ids that swap half-way cannot follow the objects."""
    truth, pred = clip((1, 2)), clip((1, 2))
    swapped = np.array([0, 2, 1], np.uint8)
    pred[3] = swapped[pred[3]]
    score = score_sequence(sequence(), tables(pred, truth), (1, 2))
    assert [one.matched for one in score.objects] == [1, 2]
    for one in score.objects:
        np.testing.assert_array_equal(one.series["J"], [1, 1, 1, 0])


def test_matches_can_be_given() -> None:
    series = pair_series(tables(clip((2, 1)), clip((1, 2))), (1, 2))
    assert [one.figures["J-Mean"] for one in score_objects(series, {1: 1, 2: 2})] == [0, 0]


def test_each_outline_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def counted(
        mask: measures.Mask,
        void: measures.Mask | None = None,
        outline: Callable[..., measures.Outline] = measures.outline,
    ) -> measures.Outline:
        seen.append(mask)
        return outline(mask, void)

    monkeypatch.setattr(measures, "outline", counted)
    compare_objects(FrameMasks(clip((1, 2))[3], clip((1, 2, 3))[3]))
    assert len(seen) == 2 + 3


def shown(pair: FramePair) -> FrameMasks:
    index = int(pair.name)
    return FrameMasks(clip((1, 2, 3))[index], clip((9, 5, 7))[index])


def test_masks_are_read_back_with_the_ids_they_were_matched_with() -> None:
    part = sequence()
    found = [compare_objects(shown(pair)) for pair in part.pairs]
    reader = MatchedReader.of(shown, [score_sequence(part, found, (1, 2))])
    reader = pickle.loads(pickle.dumps(reader))
    masks = reader(part.pairs[2])
    expected = clip((1, 2))[2]
    np.testing.assert_array_equal(masks.truth, expected)
    np.testing.assert_array_equal(masks.pred, expected)


def test_scores_keep_no_pairs_that_were_not_matched() -> None:
    score = score_sequence(sequence(), tables(clip((1, 2)), clip((1, 2))), (1, 2))
    kept: list[NDArray[np.float64]] = [one.series[name] for one in score.objects for name in "JF"]
    assert all(values.base is None for values in kept)
