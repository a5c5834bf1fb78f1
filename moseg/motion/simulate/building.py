"""Surfaces from bodies and patches: standing still, or on their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate.bodies import Part
from moseg.motion.simulate.paths import Rng, log_uniform, turned
from moseg.motion.simulate.scene import Outline, Paint, Role, Surface, no_waves
from moseg.motion.simulate.textures import PATTERNS

Array = NDArray[np.float64]

LYING = turned(x=np.pi / 2)
"""Rotation of a patch that lies on the ground: its x to the right, its y ahead, its z up."""
FACING = np.eye(3)
"""Rotation of a patch that stands and faces a camera at the origin."""


def painted(rng: Rng, size: float) -> Paint:
    """Any look for a thing of about a size in metres."""
    middle = rng.uniform(30, 225, 3) * rng.uniform(0.5, 1.0)
    spread = rng.uniform(8, 70) + rng.normal(0, 12, 3)
    colours = np.clip(np.stack([middle - spread, middle + spread]), 0, 255)
    pattern = PATTERNS[int(rng.integers(len(PATTERNS)))]
    return Paint(pattern, int(rng.integers(1 << 30)), size * log_uniform(rng, 0.5, 2.0), colours)


def patch(
    role: Role,
    outline: Outline,
    rotation: Array,
    position: Sequence[float] | Array,
    paint: Paint,
    frames: int,
) -> Surface:
    """One patch that is no object; `rotation` [3, 3] or [T, 3, 3], `position` [3] or [T, 3]."""
    return Surface(
        role=role,
        object_id=0,
        outline=outline,
        rotation=np.broadcast_to(rotation, (frames, 3, 3)),
        position=np.broadcast_to(np.asarray(position, np.float64), (frames, 3)),
        paint=paint,
        waves=no_waves(frames),
    )


def posed(
    parts: Sequence[Part], role: Role, rotation: Array, position: Array, paint: Paint, rng: Rng
) -> list[Surface]:
    """The parts of a body as surfaces of the world.

    Args:
        rotation, position: of the body, [T, 3, 3] and [T, 3].
        paint: the look of the body; its parts differ a little.
    """
    surfaces = []
    for part in parts:
        shade = np.clip(paint.colours + rng.normal(0, 14, 3), 0, 255)
        look = replace(
            paint, seed=int(rng.integers(1 << 30)), colours=shade, gain=paint.gain * part.gain
        )
        surfaces.append(
            Surface(
                role=role,
                object_id=0,
                outline=part.outline,
                rotation=rotation @ part.rotation,
                position=position + (rotation @ part.position[..., None])[..., 0],
                paint=look,
                waves=part.waves,
                bend=part.bend,
            )
        )
    return surfaces


def frozen(surface: Surface) -> Surface:
    """The surface as it is in the first frame, for ever."""
    frames = len(surface.position)

    def first(array: Array) -> Array:
        return np.broadcast_to(array[:1], (frames, *array.shape[1:]))

    return replace(
        surface,
        rotation=first(surface.rotation),
        position=first(surface.position),
        waves=replace(surface.waves, phase=first(surface.waves.phase)),
    )
