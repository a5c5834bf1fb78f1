"""What all moving objects share: parts painted once, put in place at each time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from moseg.sample.exposure import Exposure
from moseg.sample.textures import Painter, Picture, grain, pink_noise
from moseg.sample.view import EYE_HEIGHT, Matrix, Pose, View, scaling, translation

FINER = 1.6
"""Parts are painted this much finer than they are seen."""


@dataclass(frozen=True)
class Part:
    """A painted part of an object; `to_metres` takes its pixels to the part's own metres."""

    painted: Picture
    to_metres: Matrix


class Actor(Protocol):
    """An object that moves by itself."""

    depth: float

    def lay(self, exposure: Exposure, view: View, pose: Pose, time: float, owner: int) -> None:
        """Lay the object as it is at `time` (in frames) over a frame seen from `pose`."""


def paint_part(
    view: View,
    depth: float,
    box: tuple[float, float, float, float],
    draw: Callable[[Painter], None],
    rng: np.random.Generator,
    roughness: float = 0.08,
) -> Part:
    """A part that `draw` paints in metres, within `box` = (left, top, right, bottom).

    `roughness` is the strength of the 1/f grain laid over it.
    """
    left, top, right, bottom = box
    scale = FINER * view.scale(depth)
    height, width = (max(3, math.ceil(side * scale)) for side in (bottom - top, right - left))
    painter = Painter(height, width, scale, (-left, -top))
    draw(painter)
    noise = pink_noise(rng, height, width, slope=0.8, largest=60 * view.unit)
    to_metres = translation(left, top) @ scaling(1 / scale, 1 / scale)
    return Part(grain(painter.finish(), noise, roughness), to_metres)


def standing(view: View, pose: Pose, depth: float, x: float, height: float = 0.0) -> Matrix:
    """From metres around a point `height` metres over the ground at world `x` to the frame."""
    scale = view.scale(depth)
    place = translation(x * scale, (EYE_HEIGHT - height) * scale)
    return pose.upright(view, depth) @ place @ scaling(scale, scale)


def shadow(view: View, depth: float, half_width: float, half_height: float) -> Part:
    """A soft shadow on the ground, an ellipse around the origin, half axes in metres."""
    scale = 0.5 * view.scale(depth)
    half_columns, half_rows = (max(2, math.ceil(h * scale)) for h in (half_width, half_height))
    y, x = np.mgrid[-1 : 1 : (2 * half_rows + 1) * 1j, -1 : 1 : (2 * half_columns + 1) * 1j]
    darkness = np.clip(1 - np.sqrt(x * x + y * y), 0, 1) ** 0.5
    painted = np.zeros((*darkness.shape, 4), np.uint8)
    painted[..., 3] = (190 * darkness).round()
    to_metres = scaling(half_width / half_columns, half_height / half_rows)
    return Part(painted, to_metres @ translation(-half_columns, -half_rows))


def half_range(view: View, depth: float, size: float) -> float:
    """How far from the middle an object of a size in metres is out of sight of any camera."""
    return view.reach(depth) / view.scale(depth) + size / 2


def wrapped(x: float, half: float) -> float:
    """`x` brought into -half..half by whole turns: who leaves on one side comes back."""
    return (x + half) % (2 * half) - half
