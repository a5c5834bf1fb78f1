"""Object outlines as signed distances, and label masks enlarged by them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from moseg.core.outlines import (
    Outline,
    box_around,
    centre_of,
    corners_of,
    enlarged,
    object_ids,
    signed_distance,
)

Mask = npt.NDArray[np.uint8]

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12))
MASKS = SHAPES.flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 2, 255]))
)


def _square() -> Mask:
    mask = np.zeros((60, 80), np.uint8)
    mask[10:40, 20:50] = 1
    return mask


def _disc(x: float, y: float, radius: float, height: int, width: int, scale: float = 1) -> Mask:
    """A disc whose centre and radius are in pixels of the image that is `scale` times smaller."""
    row, column = np.mgrid[:height, :width]
    dx, dy = (column + 0.5) / scale - 0.5 - x, (row + 0.5) / scale - 0.5 - y
    return (dx**2 + dy**2 <= radius**2).astype(np.uint8)


def _overlap(first: Mask, second: Mask) -> float:
    both, any_ = (first > 0) & (second > 0), (first > 0) | (second > 0)
    return float(both.sum() / any_.sum()) if any_.any() else 1.0


@given(MASKS)
def test_signed_distance_is_that_to_the_nearest_pixel_of_the_other_kind(mask: Mask) -> None:
    inside = mask > 0
    distance = signed_distance(inside)
    assert distance.dtype == np.float32
    np.testing.assert_array_equal(distance > 0, inside)
    assert np.abs(distance).max() < np.hypot(*mask.shape) + 0.01
    if inside.any() and not inside.all():
        expected = np.where(
            inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside)
        )
        np.testing.assert_allclose(distance, expected, atol=1e-3)


@given(MASKS)
def test_distances_within_a_box_are_those_of_the_whole(mask: Mask) -> None:
    inside = mask > 0
    if not inside.any():
        return
    box = box_around(corners_of(inside), mask.shape)
    outline = Outline.of(inside, box)
    np.testing.assert_array_equal(outline.over(box), outline.distance)
    if not inside.all():
        whole = signed_distance(inside)[box]
        far = np.hypot(*outline.distance.shape)
        np.testing.assert_allclose(np.clip(whole, -far, far), outline.distance, atol=1e-4)


def test_a_shift_moves_the_distances() -> None:
    inside = _square() > 0
    box = box_around(corners_of(inside), inside.shape)
    moved = Outline.of(inside, box).over(np.s_[0:60, 0:80], shift=np.array([7.0, -3.0]))
    np.testing.assert_array_equal(
        moved[2:58, 9:78] > 0, np.roll(inside, (-3, 7), (0, 1))[2:58, 9:78]
    )
    half = Outline.of(inside, box).over(np.s_[20:21, 45:52], shift=np.array([0.5, 0.0]))
    np.testing.assert_allclose(half[0], [5, 4, 3, 2, 1, 0, -1], atol=0.02)


def test_an_object_at_the_border_enters_when_moved() -> None:
    inside = np.zeros((20, 30), bool)
    inside[5:15, :4] = True
    everything = np.s_[0:20, 0:30]
    moved = Outline.of(inside, everything).over(everything, shift=np.array([6.0, 0.0]))
    assert (moved[5:15, :10] > 0).all()
    assert not (moved[:, 10:] > 0).any()


def test_boxes_hold_the_points_and_stay_in_the_image() -> None:
    assert box_around(np.array([[5.0, 6.0], [9.5, 6.0]]), (20, 30)) == np.s_[4:9, 3:13]
    assert box_around(np.array([[-4.0, 0.0], [99.0, 50.0]]), (20, 30)) == np.s_[0:20, 0:30]


@given(MASKS)
def test_corners_and_centre(mask: Mask) -> None:
    y, x = np.nonzero(mask)
    if not len(x):
        return
    corners = [[x.min(), y.min()], [x.max(), y.max()]]
    np.testing.assert_array_equal(corners_of(mask > 0), corners)
    np.testing.assert_allclose(centre_of(mask > 0), [x.mean(), y.mean()])


def test_object_ids() -> None:
    masks = [np.array([[0, 3]], np.uint8), np.array([[255, 3]], np.uint8)]
    assert object_ids(*masks) == [3, 255]
    assert object_ids(np.zeros((2, 2), np.uint8)) == []


@settings(deadline=None)
@given(MASKS, st.integers(1, 40), st.integers(1, 40))
def test_any_size_gives_a_mask_of_the_same_ids(mask: Mask, height: int, width: int) -> None:
    large = enlarged(mask, height, width)
    assert (large.shape, large.dtype) == ((height, width), np.uint8)
    assert set(object_ids(large)) <= set(object_ids(mask))
    assert large is not mask
    if (height, width) == mask.shape:
        np.testing.assert_array_equal(large, mask)


@settings(deadline=None)
@given(MASKS, st.integers(2, 5))
def test_whole_number_enlargement_keeps_straight_parts(mask: Mask, scale: int) -> None:
    """Where a pixel and its neighbours are one object, so is all of it enlarged."""
    height, width = mask.shape
    large = enlarged(mask, height * scale, width * scale)
    nearest = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    kernel = np.ones((3, 3), np.uint8)
    same = cv2.erode(mask, kernel) == cv2.dilate(mask, kernel)
    inside = np.repeat(np.repeat(same, scale, axis=0), scale, axis=1)
    np.testing.assert_array_equal(large[inside], nearest[inside])


@pytest.mark.parametrize("scale", [1.28, 1.5, 2, 2.7, 3])
def test_enlarging_neither_shifts_nor_swells(scale: float) -> None:
    height, width = round(60 * scale), round(80 * scale)
    shifts, swell = [], []
    for x, y in zip(range(30, 50), range(20, 40), strict=True):
        large = enlarged(_disc(x, y, 15, 60, 80), height, width)
        rows, columns = np.nonzero(large)
        left, top = (
            (columns.mean() + 0.5) * 80 / width - 0.5,
            (rows.mean() + 0.5) * 60 / height - 0.5,
        )
        shifts.append((left - x, top - y))
        swell.append(len(rows) / (height * width) * 60 * 80 / _disc(x, y, 15, 60, 80).sum())
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.03
    assert np.mean(swell) == pytest.approx(1, abs=0.02)


def test_enlarged_edges_are_smooth() -> None:
    small, truth = _disc(33, 27, 15.3, 60, 80), _disc(33, 27, 15.3, 180, 240, scale=3)
    large = enlarged(small, 180, 240)
    nearest = cv2.resize(small, (240, 180), interpolation=cv2.INTER_NEAREST)
    assert _overlap(large, truth) > 0.97 > _overlap(nearest, truth)


def test_straight_edges_are_enlarged_to_the_pixel() -> None:
    large = enlarged(_square(), 180, 240)
    exact = np.repeat(np.repeat(_square(), 3, axis=0), 3, axis=1)
    assert _overlap(large, exact) > 0.99
    np.testing.assert_array_equal(large[60:90], exact[60:90])


@pytest.mark.parametrize("scale", [2, 3, 1.28])
def test_touching_objects_leave_no_gap(scale: float) -> None:
    mask = np.ones((25, 50), np.uint8)
    mask[:, 20:] = 2
    mask[12:, 10:] = 9
    large = enlarged(mask, round(25 * scale), round(50 * scale))
    assert large.all()
