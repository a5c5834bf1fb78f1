"""Outlines and textures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.motion.simulate import outlines
from moseg.motion.simulate.geometry import margin
from moseg.motion.simulate.scene import UNBOUNDED, Outline
from moseg.motion.simulate.textures import PATTERNS, SIDE, texture
from tests.motion.simulate.made import look


def inside(outline: Outline, x: float, y: float) -> bool:
    stretch = outline.stretch[:, None, None, None]
    found = margin(outline.radius[None], stretch, np.full((1, 1, 1), x), np.full((1, 1, 1), y))
    return bool(found[0, 0, 0] >= 0)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.02, 5), st.floats(0.02, 5))
def test_a_rectangle_is_filled_to_its_sides_however_thin(width: float, height: float) -> None:
    shape = outlines.rectangle(width, height)
    for share in (-0.45, -0.2, 0.0, 0.3, 0.45):
        assert inside(shape, 0.48 * width, share * height)
        assert inside(shape, share * width, -0.48 * height)
        assert not inside(shape, 0.52 * width, share * height)
        assert not inside(shape, share * width, 0.52 * height)


def test_other_outlines_have_their_sizes() -> None:
    rng = np.random.default_rng(1)
    assert inside(outlines.ellipse(2, 1), 0.95, 0)
    assert not inside(outlines.ellipse(2, 1), 0, 0.55)
    assert inside(outlines.triangle(2, 2), 0.8, 0.9)
    assert not inside(outlines.triangle(2, 2), 0.8, -0.5)
    assert inside(outlines.star(5, 2, 2, 0.6), 0.9, 0.0)
    assert not inside(outlines.star(5, 2, 2, 0.6), -0.6, 0.0)
    assert inside(outlines.limb(0.2, 2), 0.05, 0.95)
    assert inside(outlines.endless(), 1e5, -1e5)
    for shape in (outlines.blob(rng, 2, 1), outlines.shard(rng, 2, 1), outlines.cog(6, 2, 0.3)):
        assert 0.1 < shape.radius.min() <= shape.radius.max() < 2
        assert shape.radius.max() < UNBOUNDED
        assert inside(shape, 0, 0)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_textures_repeat_without_a_seam(pattern: str) -> None:
    tile = texture(replace(look(), pattern=pattern))
    assert tile.shape == (SIDE, SIDE, 3)
    assert tile.dtype == np.float32
    assert 0 <= tile.min() <= tile.max() <= 255
    across = np.abs(np.diff(tile, axis=1)).mean()
    seam = np.abs(tile[:, 0] - tile[:, -1]).mean()
    assert seam < 6 * across + 1


def test_textures_depend_on_seed_colours_and_gain() -> None:
    paint = look()
    assert (texture(paint) == texture(paint)).all()
    assert (texture(paint) != texture(replace(paint, seed=9))).any()
    np.testing.assert_allclose(texture(replace(paint, gain=0.5)), texture(paint) * 0.5, atol=1e-3)
    assert np.allclose(texture(replace(paint, pattern="plain", colours=np.full((2, 3), 80.0))), 80)
