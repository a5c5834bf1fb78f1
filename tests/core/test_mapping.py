"""Masks mapped back to every source frame and size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moseg.core.mapping import map_to_source

Mask = npt.NDArray[np.uint8]

MASKS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.lists(
        arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 2, 255])),
        min_size=1,
        max_size=4,
    )
)


def _mapped(
    masks: Sequence[Mask],
    positions: Sequence[int],
    count: int,
    size: tuple[int, int] | None = None,
    times: Sequence[float] | None = None,
) -> list[Mask]:
    height, width = size or masks[0].shape
    return list(map_to_source(masks, positions, times or range(count), height, width))


def _square(left: int, top: int, side: int, number: int = 1) -> Mask:
    """A square in a 60 x 80 image."""
    mask = np.zeros((60, 80), np.uint8)
    mask[top : top + side, left : left + side] = number
    return mask


def _disc(radius: float) -> Mask:
    """A disc in the middle of a 60 x 80 image."""
    row, column = np.mgrid[:60, :80]
    return ((column - 40) ** 2 + (row - 30) ** 2 <= radius**2).astype(np.uint8)


def _overlap(first: Mask, second: Mask) -> float:
    both, any_ = (first > 0) & (second > 0), (first > 0) | (second > 0)
    return float(both.sum() / any_.sum()) if any_.any() else 1.0


@settings(deadline=None)
@given(MASKS, st.data())
def test_selected_frames_keep_their_masks_and_no_id_is_made_up(
    masks: list[Mask], data: st.DataObject
) -> None:
    gaps = data.draw(st.lists(st.integers(1, 4), min_size=len(masks), max_size=len(masks)))
    positions = (np.cumsum(gaps) - 1).tolist()
    count = positions[-1] + 1 + data.draw(st.integers(0, 3))
    mapped = _mapped(masks, positions, count)
    assert len(mapped) == count
    assert all(mask.dtype == np.uint8 for mask in mapped)
    for mask, position in zip(masks, positions, strict=True):
        np.testing.assert_array_equal(mapped[position], mask)
    for first, last in pairwise(range(len(masks))):
        ids = set(np.unique(masks[first])) | set(np.unique(masks[last])) | {0}
        for between in mapped[positions[first] : positions[last] + 1]:
            assert set(np.unique(between)) <= ids


@settings(deadline=None)
@given(MASKS, st.integers(1, 4), st.integers(1, 40), st.integers(1, 40))
def test_any_size_gives_whole_masks(masks: list[Mask], gap: int, height: int, width: int) -> None:
    positions = range(0, len(masks) * gap, gap)
    count = positions[-1] + 1
    mapped = _mapped(masks, positions, count, (height, width))
    assert [mask.shape for mask in mapped] == [(height, width)] * count
    for mask in mapped:
        assert set(np.unique(mask)) <= {0, 1, 2, 255}


def test_frames_outside_the_selected_ones_take_the_nearest() -> None:
    first, second = _square(5, 5, 10), _square(40, 5, 10)
    mapped = _mapped([first, second], [2, 3], 6)
    for mask, expected in zip(mapped, [first] * 3 + [second] * 3, strict=True):
        np.testing.assert_array_equal(mask, expected)
    for mask in _mapped([first], [0], 4):
        np.testing.assert_array_equal(mask, first)


def test_a_square_moves_evenly_however_far() -> None:
    mapped = _mapped([_square(2, 10, 12), _square(62, 34, 12)], [0, 6], 7)
    for i, mask in enumerate(mapped):
        np.testing.assert_array_equal(mask, _square(2 + 10 * i, 10 + 4 * i, 12))


def test_source_times_set_the_place() -> None:
    times = [0.0, 0.9, 1.0]
    mapped = _mapped([_square(10, 10, 10), _square(30, 10, 10)], [0, 2], 3, times=times)
    np.testing.assert_array_equal(mapped[1], _square(28, 10, 10))


def test_a_disc_grows_evenly() -> None:
    masks = [_disc(radius) for radius in (8, 20)]
    mapped = _mapped(masks, [0, 4], 5)
    for i, mask in enumerate(mapped):
        assert _overlap(mask, _disc(8 + 3 * i)) > 0.95


def test_objects_keep_their_ids_and_cross() -> None:
    before = np.maximum(_square(5, 5, 10, 1), _square(60, 40, 10, 7))
    after = np.maximum(_square(25, 5, 10, 1), _square(40, 40, 10, 7))
    middle = _mapped([before, after], [0, 2], 3)[1]
    np.testing.assert_array_equal(middle, np.maximum(_square(15, 5, 10), _square(50, 40, 10, 7)))


def test_where_objects_meet_the_deeper_one_wins() -> None:
    before = np.maximum(_square(4, 10, 30, 5), _square(60, 20, 6, 3))
    after = np.maximum(_square(44, 10, 30, 5), _square(16, 20, 6, 3))
    middle = _mapped([before, after], [0, 2], 3)[1]
    np.testing.assert_array_equal(middle, _square(24, 10, 30, 5))
    swapped = [np.choose(mask, [0, 0, 0, 5, 0, 3]).astype(np.uint8) for mask in (before, after)]
    np.testing.assert_array_equal(_mapped(swapped, [0, 2], 3)[1], _square(24, 10, 30, 3))


def test_an_object_of_one_mask_alone_is_held_for_half_the_time() -> None:
    here, gone = _square(20, 20, 10), np.zeros((60, 80), np.uint8)
    counts = [int(mask.any()) for mask in _mapped([here, gone, here], [0, 5, 10], 11)]
    assert counts == [1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1]
    assert not any(mask.any() for mask in _mapped([gone, gone], [0, 3], 4))


def test_an_object_that_fills_the_image() -> None:
    full, empty = np.full((6, 8), 3, np.uint8), np.zeros((6, 8), np.uint8)
    np.testing.assert_array_equal(_mapped([full, full], [0, 2], 3), [full] * 3)
    np.testing.assert_array_equal(_mapped([full], [0], 1, (12, 20))[0], 3)
    assert _mapped([full, empty], [0, 4], 5)[1].all()


def test_two_masks_are_held_at_a_time() -> None:
    taken = []

    def masks() -> Iterator[Mask]:
        for i in range(4):
            taken.append(i)
            yield _square(10 * i, 10, 10)

    mapped = map_to_source(masks(), [0, 2, 4, 6], range(7), 60, 80)
    held = []
    for _ in range(7):
        next(mapped)
        held.append(len(taken))
    assert held == [1, 2, 2, 3, 3, 4, 4]


def test_results_are_not_views_of_the_masks() -> None:
    mask = _square(10, 10, 10)
    mapped = _mapped([mask], [0], 2)
    mapped[0][:] = 5
    assert mask.max() == mapped[1].max() == 1


@pytest.mark.parametrize(
    ("count", "positions", "message"),
    [
        (1, [0, 1], "fewer"),
        (3, [0, 1], "more than 2"),
        (2, [1, 1], "ascend"),
        (2, [0, 4], "within"),
        (2, [-1, 1], "within"),
        (0, [], "within"),
    ],
)
def test_masks_must_fit_the_selection(count: int, positions: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _mapped([_square(1, 1, 5)] * count, positions, 4, (60, 80))
