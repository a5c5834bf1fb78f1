"""Who moves is a matter of the world, not of the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.motion.simulate.draw import draw_scene
from moseg.motion.simulate.kinds import HELD_OUT, TRAINING
from moseg.motion.simulate.movement import LEAST_STEP, moving_frames, steps
from moseg.motion.simulate.paths import turned
from moseg.motion.simulate.scene import Role, Scene, Surface, Waves
from tests.motion.simulate.made import BOTH, FOCAL, FRAMES, SIZE, camera, thing

WIDTH = SIZE[1]


def test_a_camera_that_moves_moves_nothing() -> None:
    resting = thing((0, 0, 4))
    for seen_by in (camera((0.5, 0, 0)), camera((0, 0, 0.5)), camera(zoom=0.2)):
        assert not steps(resting, seen_by).any()
        assert not moving_frames([resting], seen_by, WIDTH).any()


def test_steps_are_pixels_of_a_camera_at_rest() -> None:
    moving = thing((0, 0, 4), (0.25, 0, 0))
    assert np.allclose(steps(moving, camera()), 0.25 / 4 * FOCAL)
    beside = camera((0.25, 0, 0))  # travels along: the object rests in the picture
    assert np.allclose(steps(moving, beside), 0.25 / 4 * FOCAL)
    assert moving_frames([moving], beside, WIDTH).all()


def test_a_body_moves_in_the_frames_around_its_steps() -> None:
    path = np.array([0, 0, 0.5, 0.5, 0.5])
    moving = thing((0, 0, 4))
    moving = replace(moving, position=moving.position + path[:, None] * [1, 0, 0])
    assert moving_frames([moving], camera(), WIDTH).tolist() == [False, True, True, False, False]


def test_one_moving_part_is_enough() -> None:
    parts = [thing((0, 0, 4)), thing((0, 0, 4), (0.2, 0, 0))]
    assert moving_frames(parts, camera(), WIDTH).all()


def test_turning_and_waving_is_moving() -> None:
    still = thing((0, 0, 4))
    turning = replace(still, rotation=turned(z=0.1 * np.arange(FRAMES)))
    phase = np.arange(FRAMES)[:, None] * np.array([1.0, 0])
    waving = replace(still, waves=Waves(np.ones((2, 2)), np.full((2, 3), 0.1), phase))
    for surface in (turning, waving):
        assert moving_frames([surface], camera(), WIDTH).all()


def test_what_nobody_could_see_move_does_not_move() -> None:
    slow = 0.5 * LEAST_STEP * WIDTH * 4 / FOCAL
    assert not moving_frames([thing((0, 0, 4), (slow, 0, 0))], camera(), WIDTH).any()


def test_a_twitch_is_no_motion() -> None:
    twitch = 2 * LEAST_STEP * WIDTH * 4 / FOCAL
    still = thing((0, 0, 4))
    path = np.array([0, 0, twitch, twitch, twitch])
    twitching = replace(still, position=still.position + path[:, None] * [1, 0, 0])
    assert not moving_frames([twitching], camera(), WIDTH).any()


def resting(surface: Surface) -> bool:
    def same(array: np.ndarray) -> bool:
        return bool(np.allclose(array, array[:1]))

    return same(surface.rotation) and same(surface.position) and same(surface.waves.phase)


def check_roles(drawn: Scene) -> None:
    for surface in drawn.surfaces:
        if surface.role in (Role.BACKGROUND, Role.OCCLUDER):
            assert resting(surface), "scenery moves"
        assert (surface.object_id > 0) == (surface.role is Role.OBJECT)
        assert surface.solid or surface.role is Role.EFFECT
    assert not drawn.moves[0].any()
    assert drawn.moves[1:].any(axis=1).all(), "an object that never moves"
    assert {s.object_id for s in drawn.surfaces} >= set(range(1, len(drawn.moves)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_objects_move_and_scenery_rests(seed: int) -> None:
    check_roles(draw_scene(seed, BOTH, frames=8, size=(64, 96)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["alone", "parallax", "calm"]))
def test_kinds_in_which_nothing_moves(seed: int, ending: str) -> None:
    kinds = [kind for kind in (*TRAINING, *HELD_OUT) if kind.name.endswith(ending)]
    assert len(kinds) == 2
    drawn = draw_scene(seed, kinds, frames=8, size=(64, 96))
    assert len(drawn.moves) == 1
    check_roles(drawn)
