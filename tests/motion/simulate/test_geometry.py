"""Projection and lines of sight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.motion.simulate.draw import draw_scene
from moseg.motion.simulate.geometry import NEAREST, place
from moseg.motion.simulate.paths import turned
from moseg.motion.simulate.scene import Waves
from moseg.motion.simulate.views import nearest, view_of
from tests.motion.simulate.made import BOTH, CENTRE, FOCAL, FRAMES, SIZE, scene, thing, wall


def grid(view_size: tuple[int, int], count: int = 12) -> np.ndarray:
    height, width = view_size
    x, y = np.meshgrid(np.linspace(0, width - 1, count), np.linspace(0, height - 1, count))
    return np.stack([x, y], axis=-1).reshape(-1, 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_what_a_pixel_shows_is_seen_at_that_pixel(seed: int) -> None:
    drawn = draw_scene(seed, BOTH, frames=4, size=(64, 96))
    view = view_of([drawn], np.float64)
    pixels = np.broadcast_to(grid(drawn.size), (1, 1, 144, 2))
    for frame in range(4):
        now = view.frames(frame, frame + 1)
        found = nearest(now, *now.sight(pixels), now.solid)
        assert (found.surface >= 0).all(), "a hole in the scenery"
        assert (found.depth > NEAREST).all()
        u, v, depth = place(now.under(found.surface[:, 0]), found.x, found.y)
        np.testing.assert_allclose(now.pixels(u, v), pixels, atol=0.05)
        np.testing.assert_allclose(depth, found.depth, rtol=1e-3)


def test_the_nearest_surface_is_in_front_and_ends_at_its_outline() -> None:
    view = view_of([scene([thing((0, 0, 4)), wall(), thing((0, 0, 2))])], np.float64)
    half = 0.5 * FOCAL / 2
    x = CENTRE[0] + np.array([0.0, half - 0.1, half + 0.1])
    pixels = np.stack([x, np.full(3, CENTRE[1])], axis=-1)
    found = nearest(view, *view.sight(np.broadcast_to(pixels, (1, FRAMES, 3, 2))), view.solid)
    assert (found.surface == [2, 2, 1]).all()
    assert np.allclose(found.depth[0, 0], [2, 2, 10])


def test_a_surface_seen_from_behind_is_seen() -> None:
    back = replace(thing((0, 0, 3)), rotation=np.tile(turned(y=np.pi), (FRAMES, 1, 1)))
    view = view_of([scene([back])])
    middle = np.broadcast_to(CENTRE, (1, FRAMES, 1, 2))
    assert (nearest(view, *view.sight(middle), view.solid).surface == 0).all()


def test_what_is_behind_the_camera_is_not_seen() -> None:
    view = view_of([scene([thing((0, 0, -3))])])
    middle = np.broadcast_to(CENTRE, (1, FRAMES, 1, 2))
    found = nearest(view, *view.sight(middle), view.solid)
    assert (found.surface == -1).all()
    assert np.isinf(found.depth).all()


def test_bends_and_waves_move_points_off_the_plane() -> None:
    waves = Waves(
        np.array([[2.0, 0.0], [0.0, 0.0]]),
        np.array([[0.0, 0.1, 0.0], [0.0, 0.0, 0.0]]),
        np.tile([np.pi / 2, 0.0], (FRAMES, 1)),
    )
    bent = replace(thing((0, 0, 4)), bend=np.array([0.5, 0.0]), waves=waves)
    view = view_of([scene([bent])], np.float64)
    x, y = np.array([0.0, 0.4]), np.zeros(2)
    ones = np.ones((1, FRAMES, 1))
    u, v, depth = place(view.surface(0), x * ones, y * ones)
    assert np.allclose(depth[0, 0], [4, 4 + 0.5 * 0.4**2])
    assert np.allclose((v * depth)[0, 0], [0.1, 0.1 * np.cos(0.8)])
    assert np.allclose((u * depth)[0, 0], x)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_places_are_finite_as_float16(seed: int) -> None:
    drawn = draw_scene(seed, BOTH, frames=4, size=(32, 48))
    view = view_of([drawn])
    rim = np.ones((1, 4, 1), np.float32) * np.array([-3.0, 0.0, 3.0], np.float32)
    for index in range(len(drawn.surfaces)):
        u, v, _ = place(view.surface(index), rim, rim)
        assert np.isfinite(view.pixels(u, v).astype(np.float16)).all()


def test_scenes_of_a_batch_are_of_one_size() -> None:
    one, other = (draw_scene(1, BOTH, frames=3, size=size) for size in (SIZE, (32, 32)))
    with pytest.raises(ValueError, match="same size"):
        view_of([one, other])
    with pytest.raises(ValueError, match="same size"):
        view_of([])
