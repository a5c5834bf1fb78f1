import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from moseg.core.errors import ConfigError
from moseg.export.reshape import Reshape, reshape

PICTURES = stn.arrays(
    np.uint8,
    stn.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14),
    elements=st.sampled_from([0, 0, 0, 1, 2, 255]),
)


def grown_by_hand(labels: np.ndarray, pixels: int) -> np.ndarray:
    out = labels.copy()
    objects = np.argwhere(labels > 0)
    for y, x in np.argwhere(labels == 0):
        reached = [
            ((y - oy) ** 2 + (x - ox) ** 2, labels[oy, ox])
            for oy, ox in objects
            if (y - oy) ** 2 + (x - ox) ** 2 <= pixels**2
        ]
        if reached:
            out[y, x] = min(reached)[1]
    return out


def shrunk_by_hand(labels: np.ndarray, pixels: int) -> np.ndarray:
    out = labels.copy()
    places = [(int(y), int(x)) for y, x in np.ndindex(*labels.shape)]
    for y, x in places:
        others = (place for place in places if labels[place] != labels[y, x])
        if any((y - oy) ** 2 + (x - ox) ** 2 <= pixels**2 for oy, ox in others):
            out[y, x] = 0
    return out


@settings(max_examples=60, deadline=None)
@given(labels=PICTURES, pixels=st.integers(1, 6))
def test_growing_takes_the_background_that_an_object_is_nearest_to(labels, pixels) -> None:
    before = labels.copy()
    assert np.array_equal(reshape(labels, pixels), grown_by_hand(labels, pixels))
    assert np.array_equal(labels, before)


@settings(max_examples=60, deadline=None)
@given(labels=PICTURES, pixels=st.integers(1, 4))
def test_shrinking_gives_up_what_is_near_to_something_else(labels, pixels) -> None:
    before = labels.copy()
    assert np.array_equal(reshape(labels, -pixels), shrunk_by_hand(labels, pixels))
    assert np.array_equal(labels, before)


def test_the_lower_id_takes_what_two_objects_reach_alike() -> None:
    for first, second in ((2, 7), (7, 2)):
        grown = reshape(np.array([[first, 0, 0, 0, second]], np.uint8), 2)
        assert grown.tolist() == [[first, first, 2, second, second]]


def test_one_pixel_grown_is_a_disc() -> None:
    labels = np.zeros((61, 61), np.uint8)
    labels[30, 30] = 3
    ys, xs = np.mgrid[-30:31, -30:31]
    assert np.array_equal(reshape(labels, 25) == 3, xs**2 + ys**2 <= 625)


def test_the_border_of_the_picture_is_no_edge_of_an_object() -> None:
    labels = np.full((5, 7), 9, np.uint8)
    labels[:, :2] = 0
    assert np.array_equal(np.flatnonzero(reshape(labels, -2)[0]), [4, 5, 6])


@pytest.mark.parametrize("pixels", [-100_000, -1, 1, 100_000])
@pytest.mark.parametrize("size", [(5, 7), (480, 854)])
def test_a_picture_that_one_object_fills_stays_full(size: tuple[int, int], pixels: int) -> None:
    full = np.full(size, 9, np.uint8)
    assert np.array_equal(reshape(full, pixels), full)


def test_an_empty_picture_stays_empty_and_zero_changes_nothing() -> None:
    empty = np.zeros((4, 4), np.uint8)
    for pixels in (-10_000, -1, 0, 1, 10_000):
        assert not reshape(empty, pixels).any()
    assert reshape(empty, 0) is empty


def test_a_shape_chooses_objects_or_with_invert_the_rest() -> None:
    labels = np.array([[0, 0, 4, 0, 0]], np.uint8)
    assert Reshape(grow=1).chosen(labels).tolist() == [[False, True, True, True, False]]
    assert Reshape(1, invert=True).chosen(labels).tolist() == [[True, False, False, False, True]]
    assert Reshape(1, invert=True).labels(labels).tolist() == [[0, 4, 4, 4, 0]]


def test_a_form_with_ids_can_refuse_invert() -> None:
    Reshape().refuse_invert("mots")
    with pytest.raises(ConfigError, match="mots holds object ids"):
        Reshape(invert=True).refuse_invert("mots")
