"""Who moves: the truth, measured in the world and not in the picture.

An object moves in a step if a camera that stood still where it is would see any of its points
move. So what the camera does never counts, and a motion that nobody could see does not either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate.geometry import NEAREST, Placed, place, relative_pose
from moseg.motion.simulate.scene import Camera, Surface

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

LEAST_STEP = 0.0005
"""Share of the picture's width that a point moves at least, in a step that counts as motion."""
LEAST_WAY = 0.006
"""The same, of all steps together: an object that moves less rests."""
_SHARES = (0.0, 0.85)


def steps(surface: Surface, camera: Camera) -> Array:
    """How far the points of a surface move from each frame to the next, [T - 1].

    Returns:
        Pixels of the point that moves most, seen by a camera that stays where it is in the
        first of the two frames.
    """
    seen = [_seen(surface, camera, slice(0, -1)), _seen(surface, camera, slice(1, None))]
    (u, v, depth), (u_next, v_next, depth_next) = seen
    moved = np.hypot(u_next - u, v_next - v) * camera.focal[:-1, None]
    behind = (depth < NEAREST) | (depth_next < NEAREST)
    return np.asarray(np.where(behind, 0, moved).max(axis=1))


def _seen(surface: Surface, camera: Camera, frames: slice) -> tuple[Array, Array, Array]:
    """Points of a surface of some frames in the camera of the frames 0 .. T - 2, [T - 1, P]."""
    turn, origin = relative_pose(
        surface.rotation[frames],
        surface.position[frames],
        camera.rotation[:-1],
        camera.position[:-1],
    )
    rim = surface.outline.rim()[::8]
    reach = np.concatenate([share * rim for share in _SHARES])
    x, y = reach.T[:, None, None]
    ones = np.ones((1, len(turn), 1))
    waves = surface.waves
    placed = Placed(
        turn=turn.transpose(1, 2, 0)[:, :, None, :, None],
        origin=origin.T[:, None, :, None],
        bend=surface.bend[:, None, None, None],
        vector=waves.vector.T[:, :, None, None, None],
        amplitude=waves.amplitude.T[:, :, None, None, None],
        phase=waves.phase[frames].T[:, None, :, None],
    )
    u, v, depth = place(placed, x * ones, y * ones)
    return u[0], v[0], depth[0]


def moving_frames(parts: Sequence[Surface], camera: Camera, width: int) -> Bool:
    """Whether a body moves in each frame, that is in the step to it or from it, [T].

    All false where it hardly moves at all.
    """
    moved = np.max([steps(part, camera) for part in parts], axis=0)
    if moved.sum() < LEAST_WAY * width:
        return np.zeros(len(moved) + 1, dtype=np.bool_)
    step = moved >= LEAST_STEP * width
    return np.asarray(np.append(step, False) | np.insert(step, 0, False))
