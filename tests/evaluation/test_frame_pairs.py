"""Predictions beside the frames of the truth: by name, and never a silent mix-up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import InputError
from moseg.evaluation.frame_pairs import (
    FramePair,
    fitted,
    listed,
    pair_annotated,
    pair_by_name,
)

PRED = Path("pred/dog")
stems = st.lists(st.integers(0, 30).map("{:05d}".format), min_size=1, max_size=12, unique=True)


def files(folder: str, names: list[str]) -> dict[str, Path]:
    return {name: Path(folder) / f"{name}.png" for name in names}


def test_each_frame_of_the_truth_gets_the_prediction_of_its_name() -> None:
    truth, pred = files("gt", ["00001", "00000"]), files("pred", ["00000", "00001"])
    found = pair_by_name("dog", PRED, pred, truth)
    assert (found.name, found.pred) == ("dog", PRED)
    assert [(pair.name, pair.truth, pair.pred) for pair in found.pairs] == [
        ("00001", (Path("gt/00001.png"),), Path("pred/00001.png")),
        ("00000", (Path("gt/00000.png"),), Path("pred/00000.png")),
    ]


def test_a_frame_without_a_prediction_is_paired_with_none() -> None:
    truth, pred = files("gt", ["00000", "00001"]), files("pred", ["00001"])
    assert [pair.pred is None for pair in pair_by_name("dog", PRED, pred, truth).pairs] == [
        True,
        False,
    ]


def test_predictions_beyond_the_truth_are_left_out_where_no_frame_lacks_one() -> None:
    truth, pred = files("gt", ["00000"]), files("pred", ["00000", "00001"])
    assert len(pair_by_name("dog", PRED, pred, truth).pairs) == 1


def test_numbering_that_is_shifted_by_one_is_refused() -> None:
    names = [f"{index:05d}" for index in range(6)]
    truth, pred = files("gt", names[:-1]), files("pred", names[1:])
    with pytest.raises(InputError, match=r"pred/dog: the masks are numbered otherwise.*00005"):
        pair_by_name("dog", PRED, pred, truth)


def test_names_that_never_agree_are_refused_also_where_few_frames_have_a_truth() -> None:
    truth, pred = files("gt", ["00000", "00005"]), files("pred", ["frame_0", "frame_5"])
    for pair in (pair_by_name, pair_annotated):
        with pytest.raises(InputError, match=r"found frame_0\.png, truth has 00000\.png"):
            pair("dog", PRED, pred, truth)


def test_a_truth_of_few_frames_takes_predictions_of_all() -> None:
    truth, pred = files("gt", ["00000", "00005"]), files("pred", ["00000", "00001", "00002"])
    found = pair_annotated("dog", PRED, pred, truth)
    assert [pair.pred is None for pair in found.pairs] == [False, True]


@given(stems, stems)
def test_pairs_follow_the_truth_or_are_refused(truth: list[str], pred: list[str]) -> None:
    try:
        found = pair_by_name("dog", PRED, files("pred", pred), files("gt", truth))
    except InputError:
        assert set(truth) - set(pred)
        assert set(pred) - set(truth)
    else:
        assert [pair.name for pair in found.pairs] == truth
        assert {pair.name for pair in found.pairs if pair.pred} == set(pred) & set(truth)


def pair(pred: str | None = "pred/dog/00000.png") -> FramePair:
    return FramePair("00000", (Path("gt/dog/00000.png"),), None if pred is None else Path(pred))


def test_nothing_predicted_is_an_empty_mask() -> None:
    truth = np.ones((3, 4), np.bool_)
    masks = fitted(None, truth, pair(None))
    assert masks.truth.tolist() == np.ones((3, 4)).tolist()
    assert masks.pred.shape == (3, 4)
    assert not masks.pred.any()
    assert masks.void is None
    assert (masks.truth.dtype, masks.pred.dtype) == (np.uint8, np.uint8)


def test_ids_stay_as_they_are() -> None:
    labels = np.array([[0, 7, 255]], np.uint8)
    masks = fitted(labels, labels.copy(), pair())
    assert masks.pred.tolist() == masks.truth.tolist() == [[0, 7, 255]]


def test_another_size_names_the_file_and_both_sizes() -> None:
    truth, pred = np.ones((3, 4), np.uint8), np.ones((4, 3), np.uint8)
    with pytest.raises(InputError, match=r"dog/00000\.png: the mask is 3x4 but the truth is 4x3"):
        fitted(pred, truth, pair())


def test_long_lists_are_cut_and_counted() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert listed(list("abc"), 2) == "a, b and 1 more"
