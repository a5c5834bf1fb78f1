"""Hand-made features of frames whose look is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from moseg.preproc.dinos.handmade import CHANNELS, CHROMA_UNIT, LIGHTNESS_UNIT, feature_map

UInt8 = NDArray[np.uint8]

COLOUR, GRADIENT, DEVIATION = np.s_[:9], np.s_[9:13], np.s_[13:16]


def noise(height: int, width: int, seed: int = 0) -> UInt8:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def stripes(period: int) -> UInt8:
    columns = np.where(np.arange(80) // (period // 2) % 2, 90, 160).astype(np.uint8)
    return np.broadcast_to(columns[None, :, None], (64, 80, 3)).copy()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 45), st.integers(1, 45), st.integers(1, 9))
def test_a_cell_for_every_started_piece(height: int, width: int, cell: int) -> None:
    features = feature_map(noise(height, width), cell)
    assert features.shape == (-(-height // cell), -(-width // cell), CHANNELS)
    assert features.dtype == np.float16
    assert np.isfinite(features).all()


@pytest.mark.parametrize("size", [(30, 40), (64, 80)], ids=["whole", "wide windows shrunk"])
def test_a_plain_frame_has_colour_only(size: tuple[int, int]) -> None:
    features = feature_map(np.full((*size, 3), (200, 90, 40), np.uint8)).astype(np.float32)
    assert np.abs(features[..., GRADIENT]).max() == 0
    assert np.abs(features[..., DEVIATION]).max() < 0.05
    assert np.abs(features[..., COLOUR] - features[0, 0, COLOUR]).max() < 0.01
    assert np.allclose(features[0, 0, :3], features[0, 0, 6:9], atol=0.01)


def test_grey_is_measured_in_units_of_lightness() -> None:
    black, white = (feature_map(np.full((30, 40, 3), level, np.uint8)) for level in (0, 255))
    expected = np.array([255 / LIGHTNESS_UNIT, 0, 0] * 3)
    assert np.allclose((white - black)[3, 4, COLOUR], expected, atol=0.02)
    assert np.allclose(white[3, 4, 1:3], 128 / CHROMA_UNIT, atol=0.02)


def test_two_textures_differ_and_two_pieces_of_one_do_not() -> None:
    fine, other = feature_map(noise(64, 80, 1)), feature_map(noise(64, 80, 2))
    coarse = feature_map(stripes(8))
    inner = np.s_[4:-4, 4:-4]

    def mean(features: NDArray[np.float16]) -> NDArray[np.float32]:
        return np.asarray(features[inner].astype(np.float32).mean(axis=(0, 1)), np.float32)

    assert np.linalg.norm(mean(fine) - mean(other)) < 0.5
    assert np.linalg.norm(mean(fine) - mean(coarse)) > 1


def test_gradients_know_their_direction() -> None:
    across = feature_map(stripes(8)).astype(np.float32)[5:-5, 5:-5]
    along = feature_map(np.ascontiguousarray(stripes(8).transpose(1, 0, 2)))
    along = along.astype(np.float32)[5:-5, 5:-5]
    assert across[..., [9, 11]].min() > 0.5
    assert np.abs(across[..., [10, 12]]).max() < 0.01
    assert along[..., [10, 12]].min() > 0.5
    assert np.abs(along[..., [9, 11]]).max() < 0.01


def test_grey_texture_has_no_deviation_of_chroma() -> None:
    grey = feature_map(stripes(8)).astype(np.float32)
    coloured = feature_map(noise(64, 80)).astype(np.float32)
    assert grey[..., 13:15].min() > 0.5
    assert grey[..., 15].max() < 0.05
    assert coloured[..., 15].min() > 0.5


def test_cells_lie_where_their_pixels_are() -> None:
    frame = np.zeros((64, 80, 3), np.uint8)
    frame[40:, 60:] = 255
    lightness = feature_map(frame, 4)[..., 0].astype(np.float32)
    assert lightness[13:, 18:].min() > 0.9 * 255 / LIGHTNESS_UNIT
    assert lightness[:7].max() < 0.1
    assert lightness[:, :12].max() < 0.1
