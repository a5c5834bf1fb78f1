"""Pictures agree with tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.sampling import bilinear
from moseg.motion.simulate.draw import draw_scene
from moseg.motion.simulate.kinds import Kind
from moseg.motion.simulate.render import render
from moseg.motion.simulate.scene import Paint, Role, Scene
from moseg.motion.simulate.tracks import simulate_tracks
from tests.motion.simulate.made import BOTH, CENTRE, FOCAL, FRAMES, camera, scene, thing, wall
from tests.motion.simulate.test_tracks import lattice

SMALL = (64, 96)
DRY = [kind for kind in BOTH if not kind.effect_count]


def drawn_still(seed: int, kinds: list[Kind]) -> Scene:
    """A scene of smooth textures whose pixels change for no other reason than motion."""
    drawn = draw_scene(seed, kinds, frames=4, size=SMALL)
    smooth = tuple(
        replace(s, paint=replace(s.paint, pattern="soft", tile=4 * s.paint.tile))
        for s in drawn.surfaces
    )
    return replace(drawn, surfaces=smooth, light=np.ones(4), noise=0.0)


def test_textures_move_with_the_surface() -> None:
    made = scene([wall(), thing((0, 0, 4), (0.125, 0, 0))], camera((0.0, 0.125, 0)))
    frames = render(made).frames.astype(int)
    right, up = 2, 2  # pixels a frame at 4 metres
    before, after = frames[0, 18:30, 26:38], frames[1, 18 - up : 30 - up, 26 + right : 38 + right]
    assert np.abs(before - after).mean() < 1
    assert np.abs(before - frames[1, 18:30, 26:38]).mean() > 3


def test_textures_repeat_after_their_tile() -> None:
    tiled = wall(4.0)
    row = render(scene([replace(tiled, paint=replace(tiled.paint, tile=2.0))])).frames[0, 20]
    period = round(2.0 / 4.0 * FOCAL)
    assert np.abs(row[:period].astype(int) - row[period:]).max() <= 2
    assert np.abs(row[: period // 2].astype(int) - row[period // 2 : period]).max() > 10


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_the_colour_under_a_visible_track_stays(seed: int) -> None:
    drawn = drawn_still(seed, DRY)
    pictures = render(drawn)
    tracks = simulate_tracks([drawn], lattice(SMALL), 1)
    for frame in (0, 3):
        both = (tracks.visible[0, :, 1] & tracks.visible[0, :, frame]).astype(bool)
        both &= ~near_edge(pictures.surfaces[frame], tracks.xy[0, :, frame])
        both &= ~near_edge(pictures.surfaces[1], tracks.xy[0, :, 1])
        first = bilinear(pictures.frames[1], tracks.xy[0, both, 1])
        second = bilinear(pictures.frames[frame], tracks.xy[0, both, frame])
        assert both.any()
        assert np.quantile(np.abs(first - second).max(-1), 0.8) < 12


def near_edge(surfaces: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Places within about two pixels of another surface, bool [N]."""
    height, width = surfaces.shape
    x, y = np.rint(xy).astype(int).T
    found = np.zeros(len(xy), bool)
    here = surfaces[y.clip(0, height - 1), x.clip(0, width - 1)]
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            there = surfaces[(y + dy).clip(0, height - 1), (x + dx).clip(0, width - 1)]
            found |= there != here
    return found


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_visible_tracks_are_in_front_in_the_picture(seed: int) -> None:
    drawn = draw_scene(seed, BOTH, frames=4, size=SMALL)
    pictures = render(drawn)
    tracks = simulate_tracks([drawn], lattice(SMALL), 0)
    for frame in (0, 3):
        xy = tracks.xy[0, :, frame]
        seen = tracks.visible[0, :, frame] & ~near_edge(pictures.surfaces[frame], xy)
        column, row = np.rint(xy[seen]).astype(int).T
        agree = pictures.surfaces[frame, row, column] == tracks.surface[0, seen]
        assert agree.mean() > 0.95  # plates seen edge on may fall between the pixels
        assert (pictures.ids[frame, row, column] == tracks.object_id[0, seen])[agree].all()
        ratio = pictures.disparity[frame, row, column] / tracks.disparity[0, seen, frame]
        assert np.median(np.abs(ratio - 1)) < 0.02


def test_what_hides_has_the_larger_disparity() -> None:
    made = scene([thing((0, 0, 2), role=Role.OCCLUDER), wall(), thing((0.6, 0, 4), (0.1, 0, 0))])
    pictures = render(made)
    middle = pictures.disparity[0, int(CENTRE[1])]
    assert middle[int(CENTRE[0])] == pytest.approx(1 / 2)
    assert middle[-16] == pytest.approx(1 / 4)
    assert middle[0] == pytest.approx(1 / 10)
    assert set(np.unique(pictures.ids)) == {0, 1}


def test_a_veil_darkens_and_hides_nothing() -> None:
    dark = Paint("plain", 0, 1.0, np.zeros((2, 3)))
    veil = replace(thing((0, 0, 4), role=Role.EFFECT), paint=dark, opacity=0.5)
    bare, veiled = render(scene([wall()])), render(scene([wall(), veil]))
    middle = np.s_[0, int(CENTRE[1]), int(CENTRE[0])]
    np.testing.assert_allclose(veiled.frames[middle], bare.frames[middle] * 0.5, atol=1.5)
    assert (veiled.frames[0, 0, 0] == bare.frames[0, 0, 0]).all()
    assert (veiled.disparity == bare.disparity).all()
    tracks = simulate_tracks([scene([wall(), veil])], CENTRE[None])
    assert tracks.visible.all()
    assert (tracks.surface == 0).all()


def test_edges_are_blended_over_a_pixel() -> None:
    plain = [
        replace(surface, paint=Paint("plain", 0, 1.0, np.full((2, 3), grey)))
        for surface, grey in ((wall(), 0.0), (thing((0.01, 0, 4), role=Role.OCCLUDER), 200.0))
    ]
    row = render(scene(plain)).frames[0, int(CENTRE[1]), :, 0]
    between = ((row > 10) & (row < 190)).sum()
    assert 1 <= between <= 4


def test_light_and_noise_touch_the_colours_alone() -> None:
    made = scene([wall()])
    lit = render(replace(made, light=np.array([1, 1, 0.5, 1, 1]), noise=2.0))
    bare = render(made)
    assert lit.frames[2].mean() == pytest.approx(bare.frames[2].mean() / 2, rel=0.05)
    assert (lit.frames[0].astype(int) - bare.frames[0]).std() == pytest.approx(2, rel=0.15)
    assert (lit.frames[0] != lit.frames[1]).any()
    assert (lit.disparity == bare.disparity).all()
    assert len(lit.frames) == FRAMES
