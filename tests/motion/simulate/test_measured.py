"""Measured tracks: the errors of a tracker on top of the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.motion.simulate import outlines
from moseg.motion.simulate.draw import draw_scene
from moseg.motion.simulate.measured import MeasuredTracks, measure_tracks
from moseg.motion.simulate.scene import Role, Scene
from moseg.motion.simulate.tracks import SimulatedTracks, simulate_tracks
from moseg.motion.simulate.views import view_of
from tests.motion.simulate.made import BOTH, CENTRE, FRAMES, scene, thing, wall
from tests.motion.simulate.test_tracks import lattice

SIZE = (64, 96)
FULL = lattice((48, 64), 2)


def both(made: Scene, points: np.ndarray, query: int = 0) -> tuple[SimulatedTracks, MeasuredTracks]:
    tracks = simulate_tracks([made], points, query)
    return tracks, measure_tracks([made], view_of([made]), tracks)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_tracks_are_what_a_tracker_gives(seed: int, query: int) -> None:
    true, found = both(draw_scene(seed, BOTH, frames=6, size=SIZE), lattice(SIZE), query)
    assert (found.xy[:, :, query] == true.xy[:, :, query]).all()
    assert found.visible[:, :, query].all()
    after, before = found.visible[:, :, query:], found.visible[:, :, : query + 1]
    assert not (after[:, :, 1:] & ~after[:, :, :-1]).any(), "found again"
    assert not (before[:, :, :-1] & ~before[:, :, 1:]).any(), "found again"
    for values in (found.visibility, found.confidence):
        assert values.dtype == found.xy.dtype == np.float32
        assert ((values > 0) == found.visible).all()
        assert (values <= 1).all()
    inside = (found.xy >= 0) & (found.xy <= np.array([SIZE[1] - 1, SIZE[0] - 1]))
    assert inside.all()


def test_lost_tracks_stay_where_they_were_last_seen() -> None:
    _, found = both(scene([wall(), thing((-2, 0, 3), (1, 0, 0))]), FULL)
    gone = ~found.visible[0, :, 1:]
    assert gone.any()
    assert (found.xy[0, :, 1:][gone] == found.xy[0, :, :-1][gone]).all()


def test_on_a_wall_at_rest_the_errors_are_small() -> None:
    true, found = both(scene([wall()]), FULL)
    error = np.linalg.norm(found.xy - true.xy, axis=-1)[found.visible]
    assert 0 < np.median(error) < 1
    assert found.visible.mean() > 0.9


def test_beside_a_moving_edge_the_wall_is_dragged_along() -> None:
    made = scene([wall(), thing((0, 0, 4), (0.06, 0, 0))])
    true, found = both(made, FULL)
    moved = (found.xy - true.xy)[0, :, -1, 0]
    columns = np.abs(FULL[:, 0] - CENTRE[0]) < 8
    away = np.abs(FULL[:, 1] - CENTRE[1]) - 8
    beside, far = columns & (away > 0) & (away < 4), away > 10
    assert moved[beside].mean() > 0.15
    assert abs(moved[far].mean()) < 0.2


def test_under_a_moving_veil_tracks_follow_it() -> None:
    shadow = thing((0, 0, 9), (0.5, 0, 0), Role.EFFECT, outlines.rectangle(6, 6))
    made = scene([wall(), replace(shadow, opacity=0.6)])
    true, found = both(made, FULL)
    moved = (found.xy - true.xy)[0, :, -1, 0]
    under = np.abs(FULL - CENTRE).max(-1) < 15
    assert moved[under].mean() > 0.5
    assert abs(moved[~(np.abs(FULL - CENTRE).max(-1) < 30)]).mean() < 0.5
    assert not true.moving.any()


def test_most_hidden_points_are_lost_and_some_go_on() -> None:
    made = scene([wall(), thing((-0.8, 0, 3), (0.2, 0, 0))])
    true, found = both(made, FULL, 0)
    hidden = ~true.visible[0, :, 4]
    share = found.visible[0, hidden, 4].mean()
    assert 0 < share < 0.5


def test_errors_depend_on_the_scene_alone_and_on_the_seed() -> None:
    scenes = [draw_scene(seed, BOTH, frames=6, size=SIZE) for seed in (1, 2)]
    together = simulate_tracks(scenes, lattice(SIZE))
    found = measure_tracks(scenes, view_of(scenes), together)
    alone = both(scenes[1], lattice(SIZE))[1]
    np.testing.assert_allclose(found.xy[1], alone.xy[0], atol=1e-3)
    other = measure_tracks(scenes, view_of(scenes), together, seed=1)
    assert (other.xy != found.xy).any()
    made = scene([wall()])
    one, other_scene = both(made, FULL)[1], both(replace(made, seed=8), FULL)[1]
    assert (one.xy != other_scene.xy).any()


def test_a_batch_in_torch_equals_numpy() -> None:
    pytest.importorskip("torch")
    scenes = [draw_scene(seed, BOTH, frames=FRAMES, size=SIZE) for seed in range(6)]
    view = view_of(scenes, np.float64)
    tracks = simulate_tracks(scenes, lattice(SIZE), 2, view)
    found = measure_tracks(scenes, view, tracks)
    tensors = simulate_tracks(scenes, lattice(SIZE), 2, view.on("cpu"))
    in_torch = measure_tracks(scenes, view.on("cpu"), tensors)
    np.testing.assert_allclose(in_torch.xy.numpy(), found.xy, atol=1e-4)
    assert (in_torch.visible.numpy() == found.visible).all()
    np.testing.assert_allclose(in_torch.confidence.numpy(), found.confidence, atol=1e-4)
