"""The description of a simulated scene: a camera, and surfaces that it sees.

Lengths are in metres. World and camera axes are x to the right, y down, z ahead; a camera with
no rotation looks along z. A *surface* is a patch with local axes x and y on it and z off it:
a flat outline that may be bent and may carry waves. Points on it are named by their *material*
coordinates (x, y), which stay with the material whatever it does.

T is the number of frames, A the number of angles of an outline, M of waves on a surface.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ANGLES = 64
"""Directions in which an outline has a radius: angle i is 2 pi i / ANGLES, from x towards y."""
UNBOUNDED = 1e6
"""Radius of an outline without end."""
WAVES = 2
"""Waves on a surface; those that it does not need have no amplitude."""


class Role(IntEnum):
    """What a surface is to somebody who asks what moves."""

    BACKGROUND = 0
    OCCLUDER = 1
    OBJECT = 2
    EFFECT = 3


@dataclass(frozen=True)
class Outline:
    """The rim of a patch, seen from its origin.

    Attributes:
        radius: in each of ANGLES directions, [A].
        stretch: metres along x and y that a radius of one stands for, [2]; directions are
            those before the stretch, so that thin things keep their corners.
    """

    radius: Array
    stretch: Array

    def rim(self) -> Array:
        """Material points (x, y) on the rim, metres, [A, 2]."""
        angle = 2 * np.pi * np.arange(ANGLES) / ANGLES
        around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return np.asarray(self.radius[:, None] * around * self.stretch)


@dataclass(frozen=True)
class Paint:
    """How a surface looks.

    Attributes:
        pattern: name of a texture in `textures.PATTERNS`.
        seed: which one of these.
        tile: metres after which the texture repeats itself.
        colours: dark and light end of its colours, [2, 3] in 0..255.
        gain: how much light falls on the surface; 1 is full.
    """

    pattern: str
    seed: int
    tile: float
    colours: Array
    gain: float = 1.0


@dataclass(frozen=True)
class Waves:
    """Shifts that run over a surface: amplitude * sin(vector . material + phase).

    Attributes:
        vector: radians a metre along the local x and y, [M, 2].
        amplitude: metres along the local x, y and z, [M, 3].
        phase: radians, [T, M].
    """

    vector: Array
    amplitude: Array
    phase: Array


def no_waves(frames: int) -> Waves:
    """A surface that keeps its shape."""
    return Waves(np.zeros((WAVES, 2)), np.zeros((WAVES, 3)), np.zeros((frames, WAVES)))


@dataclass(frozen=True)
class Surface:
    """One patch over time.

    Attributes:
        role: what it is.
        object_id: which object it is part of, from 1; 0 for everything that is no object.
        outline: where the patch ends.
        rotation: local axes in the world as columns, [T, 3, 3].
        position: the local origin in the world, [T, 3].
        paint: its look.
        bend: curvatures along x and y: the patch lies bend . (x^2, y^2) off its plane, [2].
        waves: shifts on top of that.
        opacity: 1 is solid; less is a veil, through which one sees what is behind.
    """

    role: Role
    object_id: int
    outline: Outline
    rotation: Array
    position: Array
    paint: Paint
    waves: Waves
    bend: Array = field(default_factory=lambda: np.zeros(2))
    opacity: float = 1.0

    @property
    def solid(self) -> bool:
        """Whether points can be on it, and hide what is behind."""
        return self.opacity >= 1.0

    @property
    def bounded(self) -> bool:
        """Whether it ends somewhere."""
        return bool(self.outline.radius.max() < UNBOUNDED)


@dataclass(frozen=True)
class Camera:
    """A camera over time, its centre in the middle of the picture.

    Attributes:
        position: in the world, [T, 3].
        rotation: the camera's axes in the world as columns, [T, 3, 3].
        focal: focal length in pixels, [T].
    """

    position: Array
    rotation: Array
    focal: Array


@dataclass(frozen=True)
class Scene:
    """All that there is to know; small, and made of plain arrays.

    Attributes:
        seed: what it was drawn from.
        made_of: names of the kind, place, camera, bodies, motions and effects in it.
        size: height and width of the picture in pixels.
        camera: the camera.
        surfaces: in no order; depth alone decides what hides what.
        moves: bool [objects + 1, T]: whether an object moves in the world in a frame, that is
            in the step to it or from it. Row 0 stands for everything else and is false.
        light: brightness of each frame, [T], about 1.
        noise: deviation of the noise of a pixel, in levels of 255.
    """

    seed: int
    made_of: tuple[str, ...]
    size: tuple[int, int]
    camera: Camera
    surfaces: tuple[Surface, ...]
    moves: NDArray[np.bool_]
    light: Array
    noise: float

    def __len__(self) -> int:
        return len(self.camera.focal)
