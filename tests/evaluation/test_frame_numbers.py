"""Numbers in names, and predictions matched by them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import InputError
from moseg.evaluation.frame_numbers import by_number, frame_number, match_known, match_unknown

FOLDER = Path("pred/cars1")


def masks(*numbers: int) -> dict[int, Path]:
    return {number: FOLDER / f"{number:05d}.png" for number in numbers}


@pytest.mark.parametrize(
    ("stem", "number"),
    [
        ("cars1_01", 1),
        ("marple12_0110_gt", 110),
        ("00042", 42),
        ("tennis454", 454),
        ("frame_x_7", 7),
        ("camel", None),
        ("²", None),
    ],
)
def test_number_of_a_name(stem: str, number: int | None) -> None:
    assert frame_number(stem) == number


@given(st.integers(0, 10**6), st.integers(0, 7), st.sampled_from(["", "cars10_", "a_", "img"]))
def test_leading_zeros_and_names_before_do_not_matter(number: int, zeros: int, name: str) -> None:
    assert frame_number(f"{name}{'0' * zeros}{number}") == number


def test_names_without_number_or_with_the_same_are_refused() -> None:
    with pytest.raises(InputError, match=r"camel\.png: no frame number in the name"):
        by_number({"camel": FOLDER / "camel.png"})
    with pytest.raises(InputError, match=r"2_001\.png and 1\.png are both frame 1"):
        by_number({"1": FOLDER / "1.png", "2_001": FOLDER / "2_001.png"})


def test_known_frames_are_matched_by_their_own_numbers() -> None:
    frames = range(1, 20)
    assert match_known(FOLDER, masks(*frames), [1, 10, 19], frames) == (masks(1, 10, 19), False)
    assert match_known(FOLDER, masks(10), [1, 10, 19], frames) == (masks(10), False)


def test_predictions_from_zero_are_matched_in_order() -> None:
    frames = [5, 6, 8, 9]
    found, from_zero = match_known(FOLDER, masks(0, 1, 2, 3), [5, 8], frames)
    assert from_zero
    assert found == {5: FOLDER / "00000.png", 8: FOLDER / "00002.png"}


def test_numbers_that_fit_no_way_are_told() -> None:
    with pytest.raises(InputError, match=r"numbered 0\.\.19, but the 19 frames .* 1\.\.19; name"):
        match_known(FOLDER, masks(*range(20)), [1, 10, 19], range(1, 20))
    with pytest.raises(InputError, match=r"no mask of an annotated frame.*2\.\.3.*1, 10, 19"):
        match_known(FOLDER, masks(2, 3), [1, 10, 19], range(1, 20))


@pytest.mark.parametrize(
    ("found", "annotated"),
    [
        (range(19), [1, 10, 19]),  # from 0, the last one missing
        (range(30), [1, 10, 19]),  # from 0, and longer
        (range(1, 20), [0, 9, 18]),  # from 1
        (range(101, 120), [1, 10, 19]),
        ([1, 2, 3], [1, 10, 19]),  # the annotated ones alone, counted without the gaps
    ],
)
def test_predictions_that_may_be_shifted_are_refused(found: range, annotated: list[int]) -> None:
    with pytest.raises(InputError, match=r"masks are numbered .*annotated frames are"):
        match_unknown(FOLDER, masks(*found), annotated)


@pytest.mark.parametrize("found", [(0, 1, 2), (1, 2, 3)])
def test_annotated_frames_counted_without_the_gaps_are_refused(found: tuple[int, ...]) -> None:
    told = r"cars1: holds 3 masks, as many .* numbered {}\.\.{} and not 1, 10, 19; name"
    with pytest.raises(InputError, match=told.format(found[0], found[-1])):
        match_known(FOLDER, masks(*found), [1, 10, 19], range(1, 20))
    frames = range(1, 4)  # where all of them are annotated, counting from 0 is no gap
    assert match_known(FOLDER, masks(0, 1, 2), frames, frames)[1]


@pytest.mark.parametrize("found", [range(1, 20), [1, 10, 19], range(1, 19), [10, 11], range(1, 40)])
def test_predictions_numbered_alike_are_matched(found: list[int]) -> None:
    matched = match_unknown(FOLDER, masks(*found), [1, 10, 19])
    assert matched == masks(*(number for number in (1, 10, 19) if number in found))


def test_no_prediction_of_an_annotated_frame_is_told() -> None:
    with pytest.raises(InputError, match="no mask of an annotated frame"):
        match_unknown(FOLDER, masks(2, 3), [1, 10, 19])
