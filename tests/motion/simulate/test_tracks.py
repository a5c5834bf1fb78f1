"""True tracks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.motion.simulate.draw import draw_scene
from moseg.motion.simulate.kinds import HELD_OUT, TRAINING
from moseg.motion.simulate.scene import Role
from moseg.motion.simulate.tracks import SimulatedTracks, simulate_tracks
from moseg.motion.simulate.views import view_of
from tests.motion.simulate.made import BOTH, CENTRE, FOCAL, FRAMES, camera, scene, thing, wall

POINTS = np.stack([CENTRE, CENTRE + np.array([20, 10])])
TIME = np.arange(FRAMES)
NAMES = ("xy", "visible", "disparity", "moving", "moving_now", "object_id", "surface")


def lattice(size: tuple[int, int], step: int = 6) -> np.ndarray:
    x, y = np.meshgrid(np.arange(2, size[1], step), np.arange(2, size[0], step))
    return np.stack([x, y], axis=-1).reshape(-1, 2).astype(float)


def test_an_object_goes_its_way_before_a_wall_at_rest() -> None:
    tracks = simulate_tracks([scene([wall(), thing((0, 0, 4), (0.25, 0, 0))])], POINTS)
    expected = CENTRE[0] + TIME * 0.25 / 4 * FOCAL
    np.testing.assert_allclose(tracks.xy[0, 0, :, 0], expected, atol=1e-4)
    np.testing.assert_allclose(tracks.xy[0, 1], np.tile(POINTS[1], (FRAMES, 1)), atol=1e-4)
    assert tracks.moving.tolist() == [[True, False]]
    assert tracks.object_id.tolist() == [[1, 0]]
    np.testing.assert_allclose(tracks.disparity[0, :, 0], [1 / 4, 1 / 10], rtol=1e-5)


def test_parallax_is_no_motion() -> None:
    still = scene([wall(), thing((0, 0, 4), role=Role.OCCLUDER)], camera((0.1, 0, 0)))
    tracks = simulate_tracks([still], POINTS)
    moved = tracks.xy[0, :, -1, 0] - POINTS[:, 0]
    np.testing.assert_allclose(moved, [-0.4 / 4 * FOCAL, -0.4 / 10 * FOCAL], atol=1e-3)
    assert not tracks.moving.any()
    assert not tracks.moving_now.any()


def test_a_zoom_pushes_everything_outwards() -> None:
    tracks = simulate_tracks([scene([wall()], camera(zoom=0.1))], POINTS)
    np.testing.assert_allclose(tracks.xy[0, 1, -1], CENTRE + 1.4 * np.array([20, 10]), atol=1e-3)


def test_hidden_and_departed_points_are_not_visible_but_known() -> None:
    passing = thing((-2, 0, 3), (1, 0, 0), Role.OBJECT)
    tracks = simulate_tracks([scene([wall(), passing])], CENTRE[None], query_frame=0)
    assert tracks.visible[0, 0].tolist() == [True, True, False, True, True]
    leaving = thing((0, 0, 4), (1, 0, 0))
    tracks = simulate_tracks([scene([wall(), leaving])], CENTRE[None], query_frame=0)
    assert tracks.visible[0, 0].tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(tracks.xy[0, 0, -1, 0], CENTRE[0] + FOCAL, atol=1e-3)


def test_points_behind_the_camera_have_no_disparity_and_finite_places() -> None:
    tracks = simulate_tracks([scene([thing((0, 0, 1))], camera((0, 0, 0.4)))], CENTRE[None])
    assert tracks.visible[0, 0].tolist() == [True, True, True, False, False]
    assert (tracks.disparity[0, 0, 3:] == 0).all()
    assert np.isfinite(tracks.xy.astype(np.float16)).all()


def test_a_point_on_nothing_is_never_visible_and_never_moves() -> None:
    tracks = simulate_tracks([scene([thing((0, 0, 4), (0.2, 0, 0))])], POINTS[1:] + 10)
    assert not tracks.visible.any()
    assert not tracks.moving.any()
    assert tracks.object_id.tolist() == [[0]]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_tracks_start_where_they_were_asked_to(seed: int, query: int) -> None:
    drawn = draw_scene(seed, BOTH, frames=6, size=(64, 96))
    points = lattice(drawn.size)
    tracks = simulate_tracks([drawn], points, query)
    np.testing.assert_allclose(tracks.xy[0, :, query], points, atol=0.05)
    assert tracks.visible[0, :, query].mean() > 0.98  # the rest lie on the rim of an edge
    assert (tracks.moving == tracks.moving_now.any(-1)).all()
    assert (tracks.moving == (tracks.object_id > 0)).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_where_nothing_moves_no_track_moves_whatever_the_camera_does(seed: int) -> None:
    kinds = [kind for kind in (*TRAINING, *HELD_OUT) if kind.objects == (0, 0)]
    drawn = draw_scene(seed, kinds, frames=6, size=(64, 96))
    assert not simulate_tracks([drawn], lattice(drawn.size)).moving_now.any()


def check_equal(one: SimulatedTracks, other: SimulatedTracks, atol: float) -> None:
    for name in NAMES:
        first, second = np.asarray(getattr(one, name)), np.asarray(getattr(other, name))
        if first.dtype.kind == "f":
            np.testing.assert_allclose(first, second, atol=atol, err_msg=name)
        else:
            assert (first == second).all(), name


def test_a_batch_in_torch_equals_scenes_one_by_one_in_numpy() -> None:
    torch = pytest.importorskip("torch")
    drawn = [draw_scene(seed, BOTH, frames=6, size=(64, 96)) for seed in range(12)]
    points = lattice(drawn[0].size)
    batch = simulate_tracks(drawn, points, 2, view_of(drawn, np.float64).on("cpu"))
    assert isinstance(batch.xy, torch.Tensor)
    for index, one in enumerate(drawn):
        alone = simulate_tracks([one], points, 2, view_of([one], np.float64))
        rows = [getattr(batch, name)[index : index + 1] for name in NAMES]
        check_equal(SimulatedTracks(2, *rows), alone, 1e-4)


def test_single_precision_is_precise_enough() -> None:
    for seed in range(6):
        drawn = draw_scene(seed, BOTH, frames=6, size=(64, 96))
        points = lattice(drawn.size)
        single = simulate_tracks([drawn], points)
        double = simulate_tracks([drawn], points, 0, view_of([drawn], np.float64))
        assert single.xy.dtype == single.disparity.dtype == np.float32
        assert np.abs(single.xy - double.xy)[double.visible].max() < 2e-3


def test_frames_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="no frame 5"):
        simulate_tracks([scene([wall()])], POINTS, FRAMES)
