"""A camper van with a board on its roof: the rigid object of the clip."""

from __future__ import annotations

import math

import numpy as np

from moseg.sample.actors import half_range, paint_part, shadow, standing, wrapped
from moseg.sample.exposure import Exposure
from moseg.sample.textures import Colour, Painter, rounded, shaded
from moseg.sample.view import Pose, View, rotation, translation

SPEED = 0.21
"""Metres a frame, to the right: 18 km/h."""

_WHEEL = 0.34
_AXLES = (-1.28, 1.3)
_LIVERIES: tuple[tuple[Colour, Colour], ...] = (
    ((204, 74, 40), (240, 228, 204)),
    ((214, 156, 40), (242, 234, 214)),
    ((190, 52, 60), (236, 232, 226)),
)


class Van:
    """Drives along the road to the right; gone out of sight, it comes again from the left."""

    depth = 13.0

    def __init__(self, view: View, rng: np.random.Generator, start: float) -> None:
        """`start` is the world x of its middle at time 0, in metres."""
        self._start = start
        self._half = half_range(view, self.depth, 4.6)
        paint, top = _LIVERIES[int(rng.integers(len(_LIVERIES)))]
        self._body = paint_part(
            view,
            self.depth,
            (-2.4, -2.4, 2.4, 0.0),
            lambda painter: _draw_body(painter, rng, paint, top),
            rng,
        )
        self._wheel = paint_part(view, self.depth, (-0.4, -0.4, 0.4, 0.4), _draw_wheel, rng)
        self._shadow = shadow(view, self.depth, 2.75, 0.22)

    def lay(self, exposure: Exposure, view: View, pose: Pose, time: float, owner: int) -> None:
        """Lay the van, its wheels turning, and its shadow."""
        x = wrapped(self._start + SPEED * time, self._half)
        ground = standing(view, pose, self.depth, x)
        exposure.shade(
            self._shadow.painted, ground @ translation(0.25, 0.02) @ self._shadow.to_metres
        )
        bounce = 0.008 * math.sin(time * 0.9)
        exposure.lay(
            self._body.painted, ground @ translation(0, bounce) @ self._body.to_metres, owner
        )
        for axle in _AXLES:
            hub = ground @ translation(axle, -_WHEEL) @ rotation(x / _WHEEL)
            exposure.lay(self._wheel.painted, hub @ self._wheel.to_metres, owner)


def _draw_body(painter: Painter, rng: np.random.Generator, paint: Colour, top: Colour) -> None:
    hull = rounded(
        [
            (-2.08, -0.3),
            (-2.16, -1.05),
            (-2.06, -1.78),
            (-1.8, -1.96),
            (1.3, -1.98),
            (1.66, -1.86),
            (2.06, -1.1),
            (2.16, -0.8),
            (2.14, -0.32),
            (1.9, -0.26),
            (-1.9, -0.26),
        ]
    )
    painter.polygon(hull, top)
    lower = hull.copy()
    lower[:, 1] = np.maximum(lower[:, 1], -1.06)
    painter.polygon(lower, paint)
    sill = hull.copy()
    sill[:, 1] = np.maximum(sill[:, 1], -0.46)
    painter.polygon(sill, shaded(paint, 0.62))
    painter.stroke([(-2.12, -1.07), (2.04, -1.07)], 0.05, (250, 246, 236))
    _draw_windows(painter, rng)
    for x in (-1.1, -0.24, 0.56, 1.38):
        painter.stroke([(x, -1.74), (x, -0.45)], 0.025, shaded(paint, 0.55))
    for x in (0.42, 0.7):
        painter.stroke([(x - 0.06, -0.98), (x + 0.06, -0.98)], 0.04, (226, 226, 226))
    for x, y, size in ((-1.72, -0.78, 0.15), (-0.66, -0.76, 0.2), (0.14, -0.82, 0.13)):
        _draw_flower(painter, (x, y), size)
    for axle in _AXLES:
        painter.ellipse((axle, -_WHEEL - 0.02), (0.42, 0.42), (34, 32, 34))
    painter.stroke([(-2.2, -0.4), (-1.75, -0.38)], 0.1, (206, 206, 210))
    painter.stroke([(1.76, -0.38), (2.24, -0.4)], 0.1, (206, 206, 210))
    painter.ellipse((2.06, -0.78), (0.07, 0.13), (252, 248, 220))
    painter.ellipse((-2.09, -0.8), (0.045, 0.13), (168, 20, 24))
    _draw_roof(painter)


def _draw_windows(painter: Painter, rng: np.random.Generator) -> None:
    glass: Colour = (58, 74, 88)
    for left, right in ((-1.92, -1.2), (-1.0, -0.34), (-0.14, 0.46), (0.66, 1.28)):
        pane = [(left, -1.72), (right, -1.72), (right, -1.2), (left, -1.2)]
        painter.polygon(rounded(pane), glass)
        shine = left + float(rng.uniform(0.25, 0.45))
        painter.polygon(
            [(shine, -1.7), (shine + 0.14, -1.7), (shine - 0.08, -1.22), (shine - 0.22, -1.22)],
            (132, 152, 166),
        )
        if left < 0.5:
            painter.polygon(
                [
                    (left + 0.04, -1.7),
                    (left + 0.2, -1.7),
                    (left + 0.08, -1.24),
                    (left + 0.04, -1.24),
                ],
                (196, 92, 60),
            )
    painter.polygon(rounded([(1.46, -1.74), (1.62, -1.74), (1.96, -1.16), (1.46, -1.18)], 1), glass)
    painter.polygon([(1.52, -1.68), (1.6, -1.68), (1.72, -1.4), (1.52, -1.4)], (128, 148, 162))


def _draw_flower(painter: Painter, centre: tuple[float, float], size: float) -> None:
    for angle in np.arange(6) * math.pi / 3:
        petal = (
            centre[0] + 0.6 * size * math.cos(angle),
            centre[1] + 0.6 * size * math.sin(angle),
        )
        painter.ellipse(petal, (0.42 * size, 0.26 * size), (246, 240, 226), float(angle))
    painter.ellipse(centre, (0.3 * size, 0.3 * size), (238, 186, 52))


def _draw_roof(painter: Painter) -> None:
    for x in (-1.3, -0.1, 1.0):
        painter.stroke([(x, -1.94), (x, -2.1)], 0.05, (70, 70, 74))
    board = rounded(
        [(-1.9, -2.14), (-1.2, -2.25), (1.0, -2.25), (1.75, -2.2), (1.0, -2.1), (-1.5, -2.08)]
    )
    painter.polygon(board, (44, 150, 156))
    painter.stroke([(-1.6, -2.16), (1.5, -2.18)], 0.04, (250, 240, 200))
    painter.stroke([(-0.5, -2.09), (-0.3, -2.25)], 0.07, (240, 150, 60))


def _draw_wheel(painter: Painter) -> None:
    painter.ellipse((0, 0), (_WHEEL, _WHEEL), (36, 35, 37))
    painter.ellipse((0, 0), (0.66 * _WHEEL, 0.66 * _WHEEL), (198, 198, 200))
    for angle in np.arange(5) * 2 * math.pi / 5:
        slot = (0.45 * _WHEEL * math.cos(angle), 0.45 * _WHEEL * math.sin(angle))
        painter.ellipse(slot, (0.06, 0.035), (70, 70, 74), float(angle + math.pi / 2))
    painter.ellipse((0, 0), (0.16 * _WHEEL, 0.16 * _WHEEL), (120, 120, 124))
