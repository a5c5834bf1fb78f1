"""Scenes made by hand, whose truth can be worked out on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate import outlines
from moseg.motion.simulate.building import FACING, patch
from moseg.motion.simulate.kinds import HELD_OUT, TRAINING, Kind
from moseg.motion.simulate.movement import moving_frames
from moseg.motion.simulate.scene import Camera, Outline, Paint, Role, Scene, Surface

Array = NDArray[np.float64]

SIZE = (48, 64)
FRAMES = 5
FOCAL = 64.0
CENTRE = np.array([31.5, 23.5])
BOTH: tuple[Kind, ...] = (*TRAINING, *HELD_OUT)


def camera(position: Sequence[float] = (0, 0, 0), zoom: float = 0.0) -> Camera:
    """A camera that goes on by `position` metres and zooms by a share each frame."""
    time = np.arange(FRAMES)[:, None]
    focal = FOCAL * (1 + zoom * time[:, 0])
    return Camera(time * np.asarray(position, float), np.tile(np.eye(3), (FRAMES, 1, 1)), focal)


def look(seed: int = 1, tile: float = 6.0) -> Paint:
    return Paint("soft", seed, tile, np.array([[20.0, 60, 90], [200.0, 180, 140]]))


def wall(depth: float = 10.0) -> Surface:
    return patch(Role.BACKGROUND, outlines.endless(), FACING, (0, 0, depth), look(1, depth), FRAMES)


def thing(
    at: Sequence[float],
    step: Sequence[float] = (0, 0, 0),
    role: Role = Role.OBJECT,
    outline: Outline | None = None,
) -> Surface:
    """A square metre that goes on by `step` metres a frame."""
    path = np.asarray(at, float) + np.arange(FRAMES)[:, None] * np.asarray(step, float)
    square = outline or outlines.rectangle(1.0, 1.0)
    return patch(role, square, FACING, path, look(2, 2.0), FRAMES)


def scene(surfaces: Sequence[Surface], seen_by: Camera | None = None) -> Scene:
    """A scene of these surfaces; objects are numbered in their order."""
    seen_by = seen_by or camera()
    moves, numbered = [np.zeros(FRAMES, bool)], []
    for surface in surfaces:
        if surface.role is Role.OBJECT:
            moves.append(moving_frames([surface], seen_by, SIZE[1]))
            surface = replace(surface, object_id=len(moves) - 1)
        numbered.append(surface)
    light = np.ones(FRAMES)
    return Scene(7, ("made",), SIZE, seen_by, tuple(numbered), np.stack(moves), light, 0.0)
