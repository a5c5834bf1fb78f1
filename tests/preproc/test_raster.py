"""Pixels of frames in a tracker's square picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.preproc.tracks.raster import Convention, Raster

CONVENTIONS: tuple[Convention, ...] = ("reference", "half_pixel")


@given(
    size=st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
    convention=st.sampled_from(CONVENTIONS),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_there_and_back(
    size: tuple[int, int], convention: Convention, share: tuple[float, float]
) -> None:
    raster = Raster.between(size, 256, convention)
    pixels = np.array([share]) * (np.array(size)[::-1] - 1)
    model = raster.to_model(pixels)
    assert (model >= 0).all()
    assert (model <= 256).all()
    assert np.allclose(raster.to_pixels(model), pixels, atol=1e-9)


@pytest.mark.parametrize(
    ("convention", "first", "last"),
    [("reference", (0, 0), (255, 255)), ("half_pixel", (1 / 3, 0.5), (256 - 1 / 3, 255.5))],
)
def test_corners(
    convention: Convention, first: tuple[float, float], last: tuple[float, float]
) -> None:
    raster = Raster.between((256, 384), 256, convention)
    assert raster.to_model(np.array([[0, 0], [383, 255]])) == pytest.approx(np.array([first, last]))


def test_half_pixel_is_how_pictures_are_resized() -> None:
    """The middle of what a small pixel covers is the middle of the small pixel."""
    raster = Raster.between((480, 854), 256, "half_pixel")
    covered = np.array([[0.0, 0.0], [854 / 256 - 1, 480 / 256 - 1]])
    assert raster.to_model(covered).mean(0) == pytest.approx([0.5, 0.5])


def test_the_reference_is_off_most_at_the_far_edge() -> None:
    exact = Raster.between((480, 854), 256, "half_pixel")
    far = np.array([[853.0, 479.0]])
    off = far - exact.to_pixels(Raster.between((480, 854), 256, "reference").to_model(far))
    assert off[0] == pytest.approx([2.8, 1.4], abs=0.1)
