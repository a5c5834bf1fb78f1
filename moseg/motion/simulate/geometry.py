"""Where surfaces are seen: the one copy of the formulas, for tracks and pictures.

All functions work on numpy arrays and on torch tensors of any device alike, for many scenes at a
time. Component axes come first, then scene B, frame T, and last surface or point P.

Between a point on a surface and its place in the picture lie two maps: `place` goes from
material coordinates to the picture, `meet` finds where a line of sight meets the surface. Bends
and waves are gentle, so `meet` solves for the shifted point by repeated substitution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate.scene import ANGLES

Array = Any
"""A numpy array or a torch tensor."""

NEAREST = 0.05
"""Nothing nearer to the camera than this is seen, metres."""
FARTHEST = 1e4
"""Lines of sight end there, metres."""
SETTLED = 2e-4
"""Share of the depth by which a point may still shift in the last round of substitution."""
_ROUNDS = 8
_TINY = 1e-6


@dataclass(frozen=True)
class Placed:
    """Surfaces, or the surfaces under points, as seen by the camera.

    Attributes:
        turn: [3, 3, B, T, P], takes a direction in the camera to one on the surface.
        origin: [3, B, T, P], the camera's centre in local coordinates.
        bend: [2, B, 1, P].
        vector, amplitude: of the waves, [2 or 3, M, B, 1, P].
        phase: [M, B, T, P].
    """

    turn: Array
    origin: Array
    bend: Array
    vector: Array
    amplitude: Array
    phase: Array


def relative_pose(
    rotation: Array, position: Array, camera_rotation: Array, camera_position: Array
) -> tuple[Array, Array]:
    """Turn from camera to surface, and the camera's centre on the surface's axes.

    Args:
        rotation, position: of surfaces, [..., T, 3, 3] and [..., T, 3].
        camera_rotation, camera_position: [T, 3, 3] and [T, 3].

    Returns:
        [..., T, 3, 3] and [..., T, 3].
    """
    back = np.swapaxes(rotation, -1, -2)
    centre = (back @ (camera_position - position)[..., None])[..., 0]
    return back @ camera_rotation, centre


def namespace(array: Array) -> Any:
    """The module whose functions take the array: numpy or torch."""
    if isinstance(array, np.ndarray):
        return np
    import torch

    return torch


def like(array: Array, values: NDArray[Any]) -> Array:
    """Values as an array of the same kind, on the same device; floats in its precision."""
    xp = namespace(array)
    floating = values.dtype.kind == "f"
    if xp is np:
        return values.astype(array.dtype) if floating else values
    return xp.as_tensor(
        np.array(values), device=array.device, dtype=array.dtype if floating else None
    )


def shifts(placed: Placed, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """How far material points are off their place on the plane, along x, y and z; [B, T, P]."""
    xp = namespace(x)
    off = [0 * x, 0 * x, placed.bend[0] * x * x + placed.bend[1] * y * y]
    for wave in range(len(placed.phase)):
        vector, amplitude = placed.vector[:, wave], placed.amplitude[:, wave]
        swing = xp.sin(vector[0] * x + vector[1] * y + placed.phase[wave])
        off = [off[axis] + amplitude[axis] * swing for axis in range(3)]
    return off[0], off[1], off[2]


def place(placed: Placed, x: Array, y: Array, curved: bool = True) -> tuple[Array, Array, Array]:
    """Where material points are seen: x / z and y / z, and depth z in metres; [B, T, P].

    Points behind the camera have a depth below NEAREST, and a place without meaning.
    """
    xp = namespace(x)
    off = shifts(placed, x, y) if curved else (0.0, 0.0, 0.0)
    local = [x + off[0] - placed.origin[0], y + off[1] - placed.origin[1], off[2]]
    local[2] = local[2] - placed.origin[2]
    seen = [sum(placed.turn[row, axis] * local[row] for row in range(3)) for axis in range(3)]
    depth = xp.where(xp.abs(seen[2]) < _TINY, xp.zeros_like(seen[2]) + _TINY, seen[2])
    return seen[0] / depth, seen[1] / depth, seen[2]


def meet(placed: Placed, u: Array, v: Array, curved: bool = True) -> tuple[Array, Array, Array]:
    """Where lines of sight meet a surface: material x, y, and depth in metres; [B, T, P].

    A depth below NEAREST means that they do not, or not clearly: a bent surface seen edge on.
    """
    xp = namespace(u)
    origin = placed.origin
    along = [
        placed.turn[row, 0] * u + placed.turn[row, 1] * v + placed.turn[row, 2] for row in range(3)
    ]
    steep = xp.where(xp.abs(along[2]) < _TINY, xp.zeros_like(along[2]) + _TINY, along[2])
    depth = xp.clip(-origin[2] / steep, -FARTHEST, FARTHEST)
    x, y = origin[0] + depth * along[0], origin[1] + depth * along[1]
    if not curved:
        return x, y, depth
    for _ in range(_ROUNDS):
        last, off = (x, y), shifts(placed, x, y)
        depth = xp.clip((off[2] - origin[2]) / steep, -FARTHEST, FARTHEST)
        x = origin[0] + depth * along[0] - off[0]
        y = origin[1] + depth * along[1] - off[1]
    unsettled = xp.abs(x - last[0]) + xp.abs(y - last[1])
    return x, y, xp.where(unsettled < SETTLED * depth, depth, xp.zeros_like(depth))


def margin(outline: Array, stretch: Array, x: Array, y: Array) -> Array:
    """How far material points are inside an outline; below zero outside; [B, T, P].

    Args:
        outline: radii, [B, A].
        stretch: metres for a radius of one, [2, B, 1, 1].
        x, y: [B, T, P].

    Returns:
        In units of the radii, along the radius.
    """
    xp = namespace(x)
    x, y = x / stretch[0], y / stretch[1]
    angle = xp.arctan2(y, x) * (ANGLES / (2 * np.pi))
    low = xp.floor(angle)
    share = angle - low
    number = (low.astype(np.int64) if xp is np else low.long()) % ANGLES
    scene = np.arange(len(outline))[:, None, None]
    radius = outline[scene, number] * (1 - share) + outline[scene, (number + 1) % ANGLES] * share
    return radius - xp.sqrt(x * x + y * y)
