"""Ids in a picture: who wins, and what is cleaned."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from moseg.sam2.painting import clean_ids, cleaned, paint, paint_order

masks = hnp.arrays(np.bool_, (9, 12))


def test_the_higher_score_comes_last_then_the_smaller_id():
    assert paint_order({1: 0.5, 2: 0.9, 3: 0.5, 4: 0.1}) == [4, 3, 1, 2]


@given(given_masks=st.lists(masks, max_size=4))
def test_the_picture_covers_the_union_and_the_last_wins(given_masks):
    by_id = dict(zip([7, 255, 2, 9], given_masks, strict=False))
    ids = paint(by_id, (9, 12))
    assert ids.dtype == np.uint8
    assert np.array_equal(ids > 0, np.logical_or.reduce([np.zeros((9, 12), bool), *given_masks]))
    hidden = np.zeros((9, 12), bool)
    for name, mask in reversed(by_id.items()):
        assert np.array_equal(ids == name, mask & ~hidden)
        hidden |= mask


def picture(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_specks_go_and_pieces_that_touch_at_corners_stay():
    mask = picture("###...#.", "###....#", "......#.", "#.......")
    wanted = picture("###...#.", "###....#", "......#.", "........")
    assert np.array_equal(cleaned(mask, 3, 0), wanted)
    assert np.array_equal(cleaned(mask, 4, 0), picture("###.....", "###.....", *["........"] * 2))


def test_the_largest_piece_stays_however_small():
    mask = picture("#...", "...#", "...#")
    assert np.array_equal(cleaned(mask, 1000, 0), picture("....", "...#", "...#"))


def test_small_holes_are_filled_and_large_ones_and_bays_are_not():
    mask = picture(
        ".........",
        "#########",
        "#.#...#.#",
        "#########",
        "#.#######",
    )
    wanted = picture(
        ".........",
        "#########",
        "###...###",
        "#########",
        "#.#######",
    )
    assert np.array_equal(cleaned(mask, 0, 3), wanted)
    assert cleaned(mask, 0, 4)[2].all()


def test_holes_do_not_leak_through_corners():
    mask = picture("###.", "#.##", "###.")
    assert cleaned(mask, 0, 2)[1, 1]
    diagonal = picture("##..", "#.#.", "##..")
    open_corner = picture("##.", "#.#", "##.")
    assert cleaned(diagonal, 0, 2)[1, 1]
    assert cleaned(open_corner, 0, 2)[1, 1]


def test_nothing_is_cleaned_unless_asked():
    mask = picture("#.#", "###")
    assert np.array_equal(cleaned(mask, 0, 0), mask)
    assert not cleaned(np.zeros((3, 4), bool), 5, 5).any()


@given(mask=masks, specks=st.integers(0, 20), holes=st.integers(0, 20))
def test_cleaning_follows_its_definition(mask, specks, holes):
    pieces, count = ndimage.label(mask, np.ones((3, 3)))
    kept = np.zeros_like(mask)
    areas = [int((pieces == piece).sum()) for piece in range(1, count + 1)]
    for piece, area in enumerate(areas, start=1):
        if area >= min(specks, max(areas)):
            kept |= pieces == piece
    gaps, count = ndimage.label(np.pad(~kept, 1, constant_values=True))
    for gap in range(1, count + 1):
        if gap != gaps[0, 0] and (gaps == gap).sum() < holes:
            kept |= (gaps == gap)[1:-1, 1:-1]
    assert np.array_equal(cleaned(mask, specks, holes), kept)


def test_objects_are_cleaned_each_by_itself_and_holes_are_filled_where_nothing_is():
    ids = np.zeros((20, 30), np.uint8)
    ids[2:12, 2:12] = 1
    ids[5, 5] = 0
    ids[8, 8] = 2
    ids[15, 3] = 1
    ids[2:12, 15:25] = 2
    wanted = ids.copy()
    wanted[5, 5] = 1
    wanted[15, 3] = 0
    wanted[8, 8] = 1
    assert np.array_equal(clean_ids(ids, 2, 0)[15, 3], 0)
    assert clean_ids(ids, 2, 0)[8, 8] == 0
    assert clean_ids(ids, 0, 2)[8, 8] == 2
    assert np.array_equal(clean_ids(ids, 0, 0), ids)
    done = clean_ids(clean_ids(ids, 2, 0), 0, 2)
    assert np.array_equal(done, wanted)
