"""Disparity as it is stored and as 16-bit images show it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.arrays import save_array
from moseg.core.disparity import DisparityMaps, DisparityWriter, to_uint16
from moseg.core.errors import BackendError, CacheError


def test_full_precision_and_range_are_kept(tmp_path):
    maps = np.random.default_rng(0).gamma(2, 5, (3, 6, 8)).astype(np.float32)
    with DisparityWriter(tmp_path, (6, 8)) as writer:
        for frame in maps:
            writer.append(frame)
    with DisparityMaps(tmp_path) as stored:
        assert len(stored) == 3
        assert stored.size == (6, 8)
        assert np.array_equal(stored.raw(1), maps[1])
        assert np.array_equal(stored.uint16(2), to_uint16(maps[2]))
    assert np.array_equal(
        np.load(tmp_path / "range.npy"),
        np.stack([maps.min((1, 2)), maps.max((1, 2))], axis=1),
    )


@given(low=st.floats(-1e3, 1e3, width=32), span=st.floats(0.125, 1e6, width=32))
def test_sixteen_bits_go_from_end_to_end(low, span):
    frame = (np.linspace(0, 1, 32, dtype=np.float32) * np.float32(span) + np.float32(low)).reshape(
        4, 8
    )
    stretched = to_uint16(frame)
    assert stretched.min() == 0
    assert stretched.max() >= 65534
    assert (np.diff(stretched.ravel().astype(int)) >= 0).all()


def test_constant_disparity_is_all_zeros():
    assert not to_uint16(np.full((3, 4), 7.5, np.float32)).any()


def test_sixteen_bit_images_come_back_bit_by_bit(tmp_path):
    images = np.random.default_rng(1).integers(0, 65536, (2, 5, 7)).astype(np.uint16)
    with DisparityWriter(tmp_path, (5, 7), np.uint16) as writer:
        for image in images:
            writer.append(image)
    with DisparityMaps(tmp_path) as stored:
        assert np.array_equal(stored.uint16(1), images[1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_numbers_are_refused(tmp_path, bad):
    frame = np.ones((3, 4), np.float32)
    frame[1, 2] = bad
    with (
        DisparityWriter(tmp_path, (3, 4)) as writer,
        pytest.raises(BackendError, match="frame 0: the depth network"),
    ):
        writer.append(frame)
    save_array(tmp_path / "disparity.npy", frame[None])
    with DisparityMaps(tmp_path) as stored, pytest.raises(CacheError, match="frame 0"):
        stored.raw(0)
