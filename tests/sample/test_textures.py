"""Textures have the statistics they promise; painted shapes lie where they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.sample.textures import Painter, grain, picture, pink_noise, ramp


@pytest.mark.parametrize("slope", [0.5, 1.0, 1.5])
def test_amplitude_falls_with_frequency(slope: float) -> None:
    noise = pink_noise(np.random.default_rng(0), 256, 256, slope)
    amplitude = np.abs(np.fft.rfft2(noise))[1:100, 1:100]
    frequency = np.hypot(*np.mgrid[1:100, 1:100])
    found = np.polyfit(np.log(frequency.ravel()), np.log(amplitude.ravel()), 1)[0]
    assert found == pytest.approx(-slope, abs=0.05)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(2, 40), st.floats(0.3, 2), st.floats(0.3, 5))
def test_noise_of_any_size_is_finite_and_of_unit_spread(
    height: int, width: int, slope: float, stretch: float
) -> None:
    noise = pink_noise(np.random.default_rng(1), height, width, slope, stretch)
    assert noise.shape == (height, width)
    assert noise.dtype == np.float32
    assert noise.std() == pytest.approx(1, abs=1e-3)


def test_stretched_noise_is_longer_across() -> None:
    noise = pink_noise(np.random.default_rng(0), 256, 256, 1.0, stretch=4)
    across, down = np.diff(noise, axis=1).std(), np.diff(noise, axis=0).std()
    assert down > 1.5 * across


def test_ramp_blends_between_its_stops() -> None:
    values = np.array([[-9.0, 0.0, 0.5, 1.0, 9.0]], np.float32)
    colours = ramp(values, (0, 1), ((0, 10, 100), (100, 20, 0)))
    assert colours[0].tolist() == [
        [0, 10, 100], [0, 10, 100], [50, 15, 50], [100, 20, 0], [100, 20, 0]
    ]  # fmt: skip


def test_pictures_are_premultiplied() -> None:
    colours = np.full((4, 4, 3), 200, np.float32)
    half = picture(colours, np.full((4, 4), 0.5, np.float32))
    assert half[0, 0].tolist() == [100, 100, 100, 128]
    brighter = grain(half, np.full((4, 4), 9, np.float32), 1.0)
    assert (brighter[..., :3] <= brighter[..., 3:]).all()
    assert (brighter[..., 3] == half[..., 3]).all()


def test_painter_puts_shapes_where_they_belong() -> None:
    painter = Painter(40, 60, scale=10, origin=(1.0, 2.0))
    painter.polygon([(0, -1), (2, -1), (2, 0), (0, 0)], (255, 0, 0))
    painter.ellipse((4.0, 1.0), (0.5, 0.5), (0, 255, 0))
    painted = painter.finish()
    assert painted.shape == (40, 60, 4)
    red, green = painted[..., 0] > 127, painted[..., 1] > 127
    assert [np.nonzero(red)[axis].mean() for axis in (0, 1)] == pytest.approx([15, 20], abs=0.6)
    assert red.sum() == pytest.approx(200, rel=0.15)
    assert [np.nonzero(green)[axis].mean() for axis in (0, 1)] == pytest.approx([30, 50], abs=0.6)
    assert green.sum() == pytest.approx(np.pi * 25, rel=0.15)
    assert painted[0, 0, 3] == 0
