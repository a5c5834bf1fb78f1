import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from pycocotools import mask as official

from moseg.export.rle import bounding_box, compress, encode, run_lengths

MASKS = stn.arrays(np.bool_, stn.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


def officially(mask: np.ndarray) -> dict:
    return official.encode(np.asfortranarray(mask.astype(np.uint8)))


def blobs(seed: int, height: int, width: int) -> np.ndarray:
    """A mask with long runs, so that its numbers have several digits of either sign."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[:height, :width]
    mask = np.zeros((height, width), bool)
    for _ in range(rng.integers(1, 5)):
        y, x, radius = rng.integers(height), rng.integers(width), rng.integers(1, height // 2)
        mask ^= (ys - y) ** 2 + (xs - x) ** 2 < radius**2
    return mask


@settings(max_examples=200, deadline=None)
@given(mask=MASKS)
def test_any_mask_has_the_text_that_pycocotools_gives_it(mask: np.ndarray) -> None:
    assert encode(mask)["counts"].encode() == officially(mask)["counts"]
    assert encode(mask)["size"] == officially(mask)["size"]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), height=st.integers(4, 700), width=st.integers(1, 300))
def test_large_masks_too(seed: int, height: int, width: int) -> None:
    mask = blobs(seed, height, width)
    assert encode(mask)["counts"].encode() == officially(mask)["counts"]


@settings(max_examples=100, deadline=None)
@given(mask=MASKS)
def test_pycocotools_decodes_it_after_a_trip_through_json(mask: np.ndarray) -> None:
    code = json.loads(json.dumps(encode(mask)))
    assert np.array_equal(official.decode(code), mask)
    assert official.area(code) == np.count_nonzero(mask)
    assert official.toBbox(code).tolist() == bounding_box(mask)


@pytest.mark.parametrize("value", [False, True])
def test_a_mask_of_one_value(value: bool) -> None:
    mask = np.full((3, 5), value)
    assert run_lengths(mask) == ([0, 15] if value else [15])
    assert encode(mask)["counts"].encode() == officially(mask)["counts"]


def test_runs_go_down_the_columns_and_background_comes_first() -> None:
    assert run_lengths(np.array([[True, False], [True, True]])) == [0, 2, 1, 1]
    assert run_lengths(np.array([[False, True], [False, False]])) == [2, 1, 1]


def test_from_the_fourth_length_on_differences_are_written() -> None:
    assert compress([1, 2, 3, 4]) == "1232"
    assert compress([7, 40, 9, 40, 9]) == "7X1900"  # 40 is the digits 8 (and more) and 1
