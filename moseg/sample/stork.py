"""A stork that flies in late: the bending object of the clip."""

from __future__ import annotations

import math

import numpy as np

from moseg.sample.actors import Part, half_range, paint_part, standing, wrapped
from moseg.sample.exposure import Exposure
from moseg.sample.textures import Colour, Painter, rounded
from moseg.sample.view import CameraPath, Matrix, Pose, View, scaling

SPEED = -0.06
"""Metres a frame, to the left."""

BEAT = 15.0
"""Frames of one wing beat."""

_HALF_LENGTH = 0.75
_WHITE: Colour = (242, 240, 234)
_BLACK: Colour = (34, 33, 38)
_RED: Colour = (206, 72, 44)


class Stork:
    """Flies to the left, first seen at a time of its own; out of sight, it comes again."""

    depth = 9.0

    def __init__(
        self, view: View, rng: np.random.Generator, camera: CameraPath, entry: float
    ) -> None:
        """`entry` is the time at which its beak comes into the frame from the right."""
        pose = camera.at(entry)
        edge = (view.width / 2 - pose.shift_x) / view.scale(self.depth) + pose.x
        self._entry, self._start = entry, edge + _HALF_LENGTH
        self._half = half_range(view, self.depth, 2 * _HALF_LENGTH)
        self._body = paint_part(view, self.depth, (-0.8, -0.25, 0.85, 0.25), _draw_body, rng, 0.05)
        self._near = _paint_wing(view, self.depth, rng, _WHITE)
        self._far = _paint_wing(view, self.depth, rng, (204, 204, 206))

    def lay(self, exposure: Exposure, view: View, pose: Pose, time: float, owner: int) -> None:
        """Lay the far wing, the body and the near wing; nothing before its entry."""
        if time < self._entry:
            return
        x = wrapped(self._start + SPEED * (time - self._entry), self._half)
        phase = 2 * math.pi * time / BEAT
        height = 2.7 + 0.05 * math.cos(phase) + 0.15 * math.sin(time / 40)
        body = standing(view, pose, self.depth, x, height)
        for part, place in (
            (self._far, body @ _flap(phase - 0.25, 0.92)),
            (self._body, body),
            (self._near, body @ _flap(phase, 1.0)),
        ):
            exposure.lay(part.painted, place @ part.to_metres, owner)


def _flap(phase: float, size: float) -> Matrix:
    """Wing painted upright to wing as seen: up, edge-on, down, swept back a little."""
    lift = 0.22 + 0.75 * math.sin(phase)
    lift = math.copysign(max(abs(lift), 0.05), lift)
    sweep = np.array([[1.0, -0.28 * (1 - abs(lift)), 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(scaling(size, size * lift) @ sweep)


def _paint_wing(view: View, depth: float, rng: np.random.Generator, white: Colour) -> Part:
    return paint_part(
        view, depth, (-0.3, -1.0, 0.5, 0.1), lambda painter: _draw_wing(painter, white), rng, 0.07
    )


def _draw_wing(painter: Painter, white: Colour) -> None:
    """A spread wing, its root at the origin, its tip 0.95 m up, its front to the left."""
    quills = np.linspace(0, 1, 9)
    for share in quills[::-1]:
        root = (0.0 + 0.1 * share, -0.12 - 0.55 * share)
        tip = (0.4 - 0.33 * share**2, -0.06 - 0.88 * share)
        painter.stroke([root, tip], 0.1, _BLACK)
    for share in quills[1::2]:
        painter.stroke(
            [(0.1, -0.12 - 0.5 * share), (0.36 - 0.3 * share**2, -0.08 - 0.8 * share)],
            0.012,
            (92, 92, 100),
        )
    arm = [(-0.2, 0.06), (-0.2, -0.3), (-0.1, -0.62), (0.02, -0.72), (0.1, -0.5), (0.16, 0.04)]
    painter.polygon(rounded(arm), white)
    for share in (0.2, 0.45, 0.7):
        painter.stroke([(-0.12, -0.66 * share), (0.1, -0.6 * share - 0.02)], 0.014, (176, 176, 182))


def _draw_body(painter: Painter) -> None:
    """Legs trailing to the right, neck and beak stretched to the left."""
    painter.stroke([(0.3, 0.04), (0.82, 0.09)], 0.028, _RED)
    painter.stroke([(0.3, 0.06), (0.78, 0.13)], 0.028, (170, 56, 40))
    tail = [(0.2, -0.08), (0.46, -0.02), (0.48, 0.05), (0.2, 0.08)]
    painter.polygon(rounded(tail, 1), _BLACK)
    painter.polygon(
        rounded(
            [
                (-0.36, -0.08),
                (-0.05, -0.13),
                (0.36, -0.04),
                (0.36, 0.05),
                (0.0, 0.14),
                (-0.32, 0.08),
            ]
        ),
        _WHITE,
    )
    painter.polygon(rounded([(-0.26, 0.04), (0.3, 0.04), (0.0, 0.14)], 1), (196, 196, 200))
    painter.stroke([(-0.26, -0.01), (-0.42, -0.04), (-0.54, -0.02)], 0.09, _WHITE)
    painter.ellipse((-0.56, -0.02), (0.06, 0.055), _WHITE)
    painter.polygon([(-0.59, -0.05), (-0.79, 0.0), (-0.59, 0.02)], _RED)
    painter.ellipse((-0.575, -0.035), (0.012, 0.012), _BLACK)
