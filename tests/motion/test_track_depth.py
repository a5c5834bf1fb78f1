"""Disparity under tracks, by the rules of the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moseg.core.disparity import DisparityMaps, DisparityWriter, to_uint16
from moseg.core.errors import CacheError
from moseg.motion.track_depth import depth_under, lookup_index, to_unit
from tests.motion.sampling_files import files_with

H, W = 6, 8


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_gather_depth"))
def test_lookup_of_the_reference(path: Path) -> None:
    with np.load(path) as stored:
        maps = stored["in_gather_depth"][0, 0]
        xy = stored["in_tracks"][0].transpose(1, 2, 0)
        for frame in range(maps.shape[2]):
            index = lookup_index(xy[:, frame], maps.shape[:2], "reference")
            np.testing.assert_array_equal(
                maps[:, :, frame].ravel()[index], stored["out_gather_depth"][0, 0, :, frame]
            )


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_disparity_png16"))
def test_16_bit_images_as_the_reference_reads_them(path: Path) -> None:
    with np.load(path) as stored:
        found = to_unit(stored["in_disparity_png16"], "clip8")
        np.testing.assert_allclose(found, stored["out_disparity_read"], rtol=1e-6, atol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_uint16_disparity"))
def test_16_bit_images_as_the_reference_writes_them(path: Path) -> None:
    with np.load(path) as stored:
        np.testing.assert_array_equal(
            to_uint16(stored["in_uint16_disparity"]), stored["out_uint16"]
        )
        flat = stored["out_uint16_flat"]
        np.testing.assert_array_equal(to_uint16(np.ones(flat.shape, np.float32)), flat)


def test_lookup_by_pixel() -> None:
    xy = np.array([[0, 0], [3.9, 2.8], [7.4, 5.6], [-0.4, 3], [-50, 50]], np.float32)
    index = lookup_index(xy, (H, W), "pixel")
    rows, columns = np.divmod(index, W)
    assert columns.tolist() == [0, 3, 7, 0, 0]
    assert rows.tolist() == [0, 2, 5, 3, 5]


def test_lookup_of_the_reference_in_words() -> None:
    """Upper left: the first pixel. Lower half: row 2y - H, column 2x - W, back a row if < 0."""
    xy = np.array([[2, 1], [6.1, 4.1], [1.1, 5.1]], np.float32)
    index = lookup_index(xy, (H, W), "reference")
    assert index.tolist() == [0, 2 * W + 4, 4 * W - 5]


def test_reading_rules() -> None:
    values = np.array([[0, 51, 255], [256, 30000, 65535]], np.uint16)
    np.testing.assert_allclose(to_unit(values, "clip8"), [[0, 0.2, 1], [1, 1, 1]])
    np.testing.assert_allclose(to_unit(values, "full"), values / 65535)
    for flat in (0, 9, 700):
        constant = np.full((2, 3), flat, np.uint16)
        np.testing.assert_array_equal(to_unit(constant, "clip8"), np.zeros((2, 3)))
    assert to_unit(values, "clip8").dtype == to_unit(values, "full").dtype == np.float32


def write(folder: Path, frames: list[np.ndarray]) -> DisparityMaps:
    with DisparityWriter(folder, (H, W)) as writer:
        for frame in frames:
            writer.append(frame)
    return DisparityMaps(folder)


def test_each_frame_is_read_under_its_own_positions(tmp_path: Path) -> None:
    ramp = np.arange(H * W, dtype=np.float32).reshape(H, W)
    frames = [ramp, ramp[::-1], np.full((H, W), 3, np.float32), ramp[:, ::-1]]
    xy = np.array([[[1, 1], [2, 3], [7, 5]], [[0, 0], [7, 5], [4, 4]]], np.float32)
    with write(tmp_path, frames) as maps:
        found = depth_under(maps, 1, xy, "pixel", "full")
    expected = np.zeros((2, 3))
    for track in range(2):
        for column in range(3):
            x, y = xy[track, column].astype(int)
            stretched = to_uint16(frames[1 + column]) / 65535
            expected[track, column] = stretched[y, x]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32
    assert (found[:, 1] == 0).all(), "a constant frame"


def test_values_that_are_not_numbers(tmp_path: Path) -> None:
    write(tmp_path, [np.zeros((H, W), np.float32)] * 2).close()
    stored = np.load(tmp_path / "disparity.npy")
    stored[1, 2, 3] = np.nan
    np.save(tmp_path / "disparity.npy", stored)
    xy = np.zeros((1, 2, 2), np.float32)
    with DisparityMaps(tmp_path) as maps, pytest.raises(CacheError, match=r"frame 1.*not numbers"):
        depth_under(maps, 0, xy, "reference", "clip8")
