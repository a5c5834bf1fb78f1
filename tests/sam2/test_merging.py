"""Which objects are found to be one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.sam2.merging import Overlaps

SIZE = (10, 20)


def strip(start: int, stop: int) -> np.ndarray:
    """`stop - start` pixels of 200."""
    mask = np.zeros(SIZE, bool)
    mask.reshape(-1)[start:stop] = True
    return mask


NOTHING = strip(0, 0)


def matched(one: np.ndarray, other: np.ndarray) -> bool:
    overlaps = Overlaps()
    overlaps.add([1, 2], [one, other])
    return overlaps.together(1, 2)


@pytest.mark.parametrize(
    ("one", "other", "match"),
    [
        (strip(0, 100), strip(0, 100), True),
        (strip(0, 100), strip(10, 110), True),  # 90 of 100 covered
        (strip(0, 100), strip(11, 111), False),
        (strip(0, 10), strip(1, 200), True),  # nine tenths of the small one
        (strip(0, 10), strip(2, 200), False),
        (strip(2, 200), strip(0, 10), False),
        (strip(0, 10), NOTHING, False),
        (NOTHING, strip(0, 10), False),
        (NOTHING, NOTHING, False),
    ],
)
def test_masks_match_when_nine_tenths_are_shared(one, other, match):
    assert matched(one, other) is match


@pytest.mark.parametrize(("matches", "others", "joined"), [(3, 7, True), (29, 71, False)])
def test_three_tenths_of_the_frames_join(matches, others, joined):
    overlaps = Overlaps()
    for _ in range(matches):
        overlaps.add([4, 7], [strip(0, 50), strip(0, 50)])
    for _ in range(others):
        overlaps.add([7, 4], [strip(0, 50), strip(100, 150)])
    assert overlaps.together(4, 7) is joined
    assert overlaps.groups([4, 7]) == ([(4, 7)] if joined else [(4,), (7,)])


def test_frames_without_either_do_not_count():
    overlaps = Overlaps()
    for _ in range(50):
        overlaps.add([1, 2], [NOTHING, NOTHING])
    overlaps.add([1, 2], [strip(0, 9), strip(0, 9)])
    for _ in range(2):
        overlaps.add([1, 2], [strip(0, 9), NOTHING])
    assert overlaps.together(1, 2)
    overlaps.add([1, 2], [NOTHING, strip(0, 9)])
    assert not overlaps.together(1, 2)


def test_frames_in_which_one_was_not_looked_for_do_not_count():
    overlaps = Overlaps()
    for _ in range(50):
        overlaps.add([1], [strip(0, 9)])
    overlaps.add([1, 2], [strip(0, 9), strip(0, 9)])
    assert overlaps.together(1, 2)


def test_chains_are_one_group():
    overlaps = Overlaps()
    chain = [strip(0, 100), strip(0, 50), strip(0, 10), strip(150, 160)]
    overlaps.add([5, 1, 3, 2], chain)
    assert overlaps.groups([5, 1, 3, 2]) == [(1, 3, 5), (2,)]
    # Two that match a third, not each other.
    overlaps = Overlaps()
    overlaps.add([1, 2, 3], [strip(0, 10), strip(50, 60), strip(0, 100)])
    assert not overlaps.together(1, 2)
    assert overlaps.groups([1, 2, 3]) == [(1, 2, 3)]
    assert overlaps.groups([1, 2]) == [(1,), (2,)]


def test_areas_are_exact_beyond_what_float32_counts():
    area = 2**24 + 35  # float32 takes it for 2**24 + 36
    enough = -(-9 * area // 10)
    one = np.zeros((1, area + 10**7), bool)
    one[0, :area] = True
    for common, match in [(enough, True), (enough - 1, False)]:
        other = np.zeros_like(one)
        other[0, :common] = other[0, area:] = True
        assert matched(one, other) is match


@settings(max_examples=60)
@given(data=st.data())
def test_the_order_of_objects_is_of_no_importance(data):
    count = data.draw(st.integers(2, 6))
    ends = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)
    frames = data.draw(
        st.lists(st.lists(ends, min_size=count, max_size=count), min_size=1, max_size=4)
    )
    order = data.draw(st.permutations(range(count)))
    straight, mixed = Overlaps(), Overlaps()
    for frame in frames:
        masks = [strip(*pair) for pair in frame]
        straight.add(list(range(count)), masks)
        mixed.add(order, [masks[name] for name in order])
    groups = straight.groups(range(count))
    assert groups == mixed.groups(order)
    assert sorted(name for group in groups for name in group) == list(range(count))
    assert [group[0] for group in groups] == sorted(min(group) for group in groups)
