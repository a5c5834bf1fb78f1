"""A jogger: the jointed object of the clip, each limb with its own motion."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from moseg.sample.actors import Part, half_range, paint_part, shadow, standing, wrapped
from moseg.sample.exposure import Exposure
from moseg.sample.textures import Colour, Painter, rounded, shaded
from moseg.sample.view import Matrix, Pose, View, rotation, translation

SPEED = 0.112
"""Metres a frame, to the right: a gentle jog."""

STRIDE = 17.0
"""Frames from one footfall to the next of the same foot."""

_THIGH, _SHIN, _SOLE = 0.44, 0.43, 0.09
_UPPER_ARM, _FOREARM = 0.29, 0.25
_LEAN = 0.14
_SKIN: Colour = (206, 150, 116)
_DARKER_SKIN: Colour = (160, 112, 86)
_SHORTS: Colour = (30, 32, 44)

Put = Callable[[Part, Matrix], None]


@dataclass(frozen=True)
class _Leg:
    """Forward angle of the thigh and bend of the knee, radians."""

    thigh: float
    knee: float

    def length(self) -> float:
        """How far the sole is below the hip, metres."""
        below = _THIGH * math.cos(self.thigh) + _SHIN * math.cos(self.thigh - self.knee)
        return below + _SOLE


class Runner:
    """Jogs along the path to the right; gone out of sight, comes again from the left."""

    depth = 8.5

    def __init__(self, view: View, rng: np.random.Generator, start: float) -> None:
        """`start` is the world x of the hip at time 0, in metres."""
        self._start = start
        self._half = half_range(view, self.depth, 1.4)
        shirts: tuple[Colour, ...] = ((36, 96, 190), (196, 40, 96), (110, 52, 160))
        shirt = shirts[int(rng.integers(len(shirts)))]
        self._near = _paint_limbs(view, self.depth, rng, shirt, _SKIN)
        self._far = _paint_limbs(view, self.depth, rng, shaded(shirt, 0.7), _DARKER_SKIN)
        self._torso = paint_part(
            view, self.depth, (-0.3, -0.95, 0.35, 0.2), lambda p: _draw_torso(p, shirt), rng
        )
        self._shadow = shadow(view, self.depth, 0.62, 0.1)

    def lay(self, exposure: Exposure, view: View, pose: Pose, time: float, owner: int) -> None:
        """Lay the jogger from the far limbs to the near ones, after the shadow."""
        x = wrapped(self._start + SPEED * time, self._half)
        ground = standing(view, pose, self.depth, x)
        exposure.shade(
            self._shadow.painted, ground @ translation(0.12, 0.02) @ self._shadow.to_metres
        )
        phase = 2 * math.pi * time / STRIDE
        near, far = _leg(phase), _leg(phase + math.pi)
        hip = ground @ translation(0, -max(near.length(), far.length()))
        shoulder = hip @ rotation(_LEAN) @ translation(0.0, -0.5)

        def put(part: Part, place: Matrix) -> None:
            exposure.lay(part.painted, place @ part.to_metres, owner)

        _lay_arm(put, self._far, shoulder, phase)
        _lay_leg(put, self._far, hip, far)
        _lay_leg(put, self._near, hip, near)
        put(self._torso, hip @ rotation(_LEAN))
        _lay_arm(put, self._near, shoulder, phase + math.pi)


def _leg(phase: float) -> _Leg:
    return _Leg(
        thigh=0.16 + 0.62 * math.sin(phase),
        knee=0.22 + 0.62 * (1 + math.cos(phase + 0.5)),
    )


def _lay_leg(put: Put, limbs: dict[str, Part], hip: Matrix, leg: _Leg) -> None:
    thigh = hip @ rotation(-leg.thigh)
    shin = thigh @ translation(0, _THIGH) @ rotation(leg.knee)
    put(limbs["shin"], shin)
    put(limbs["foot"], shin @ translation(0, _SHIN) @ rotation(0.15 * leg.knee - 0.1))
    put(limbs["thigh"], thigh)


def _lay_arm(put: Put, limbs: dict[str, Part], shoulder: Matrix, phase: float) -> None:
    upper = shoulder @ rotation(-0.7 * math.sin(phase) + 0.15)
    fore = upper @ translation(0, _UPPER_ARM) @ rotation(-1.5 - 0.3 * math.sin(phase))
    put(limbs["forearm"], fore)
    put(limbs["upper_arm"], upper)


def _paint_limbs(
    view: View, depth: float, rng: np.random.Generator, shirt: Colour, skin: Colour
) -> dict[str, Part]:
    """Limbs that hang down from their joint at the origin."""

    def thigh(painter: Painter) -> None:
        _limb(painter, _THIGH, 0.105, 0.07, skin)
        _limb(painter, 0.6 * _THIGH, 0.118, 0.1, _SHORTS)
        painter.stroke([(0.0, 0.0), (0.0, 0.58 * _THIGH)], 0.035, (226, 226, 226))

    def shin(painter: Painter) -> None:
        _limb(painter, _SHIN, 0.07, 0.045, skin)
        sock = [(-0.05, 0.33), (0.05, 0.33), (0.045, 0.45), (-0.045, 0.45)]
        painter.polygon(sock, (240, 240, 236))

    def foot(painter: Painter) -> None:
        shoe = [(-0.09, -0.03), (0.05, -0.04), (0.2, 0.03), (0.2, 0.08), (-0.09, 0.08)]
        painter.polygon(rounded(shoe, 1), (232, 92, 48))
        painter.stroke([(-0.08, 0.075), (0.18, 0.075)], 0.025, (246, 246, 240))

    def upper_arm(painter: Painter) -> None:
        _limb(painter, _UPPER_ARM, 0.06, 0.048, skin)
        _limb(painter, 0.62 * _UPPER_ARM, 0.072, 0.066, shirt)

    def forearm(painter: Painter) -> None:
        _limb(painter, _FOREARM, 0.047, 0.036, skin)
        painter.ellipse((0, _FOREARM + 0.03), (0.042, 0.05), skin)

    boxes = {
        "thigh": ((-0.14, -0.14, 0.14, 0.54), thigh),
        "shin": ((-0.1, -0.1, 0.1, 0.5), shin),
        "foot": ((-0.12, -0.08, 0.24, 0.12), foot),
        "upper_arm": ((-0.1, -0.1, 0.1, 0.38), upper_arm),
        "forearm": ((-0.08, -0.08, 0.08, 0.36), forearm),
    }
    return {name: paint_part(view, depth, box, draw, rng) for name, (box, draw) in boxes.items()}


def _limb(painter: Painter, length: float, start: float, end: float, colour: Colour) -> None:
    painter.ellipse((0, 0), (start, start), colour)
    painter.ellipse((0, length), (end, end), colour)
    painter.polygon([(-start, 0), (start, 0), (end, length), (-end, length)], colour)
    dark = shaded(colour, 0.82)
    painter.polygon([(-start, 0), (-0.5 * start, 0), (-0.5 * end, length), (-end, length)], dark)


def _draw_torso(painter: Painter, shirt: Colour) -> None:
    """Hips, shirt with stripes and a number, neck; the hip is the origin."""
    ink: Colour = (40, 40, 44)
    painter.polygon(rounded([(-0.12, -0.1), (0.13, -0.1), (0.13, 0.1), (-0.13, 0.1)]), _SHORTS)
    chest = rounded(
        [(-0.12, -0.04), (-0.15, -0.42), (-0.1, -0.57), (0.1, -0.57), (0.17, -0.4), (0.13, -0.04)]
    )
    painter.polygon(chest, shirt)
    back = chest.copy()
    back[:, 0] = np.minimum(back[:, 0], -0.06)
    painter.polygon(back, shaded(shirt, 0.75))
    for height in (-0.2, -0.12):
        painter.stroke([(-0.125, height), (0.135, height)], 0.03, (244, 240, 226))
    number = [(-0.03, -0.46), (0.13, -0.46), (0.13, -0.29), (-0.03, -0.29)]
    painter.polygon(number, (246, 246, 242))
    painter.stroke([(0.02, -0.42), (0.05, -0.44), (0.05, -0.32)], 0.022, ink)
    painter.stroke([(0.085, -0.43), (0.11, -0.4), (0.08, -0.33), (0.115, -0.33)], 0.02, ink)
    _draw_head(painter)


def _draw_head(painter: Painter) -> None:
    hair: Colour = (64, 40, 26)
    painter.stroke([(0.01, -0.54), (0.03, -0.66)], 0.1, _DARKER_SKIN)
    painter.ellipse((0.04, -0.75), (0.1, 0.125), _SKIN)
    painter.polygon([(0.12, -0.77), (0.165, -0.72), (0.12, -0.7)], _SKIN)
    cap = [
        (-0.09, -0.68),
        (-0.09, -0.84),
        (0.02, -0.91),
        (0.14, -0.86),
        (0.1, -0.8),
        (-0.01, -0.76),
    ]
    painter.polygon(rounded(cap), hair)
    painter.stroke([(-0.06, -0.79), (0.13, -0.81)], 0.03, (240, 240, 236))
    painter.stroke([(-0.07, -0.8), (-0.17, -0.76), (-0.2, -0.66)], 0.055, hair)
