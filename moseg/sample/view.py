"""The camera of a made-up clip: where it stands at each time, and what that does to planes.

World axes in metres: X to the right, Y down from the camera, Z ahead. The *nominal* view is
that of the camera at rest at the origin; scenery is painted as seen from there, and a
homography takes a plane from the nominal view to the view at some time. Points of the
nominal view are (u, v) pixels from the point straight ahead, so the horizon is v = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

EYE_HEIGHT = 1.6
"""Height of the camera over the ground in metres."""


@dataclass(frozen=True)
class View:
    """Size and lens of the picture. All lengths in pixels."""

    height: int
    width: int

    @property
    def unit(self) -> float:
        """Pixels of this picture to one pixel of a picture 480 high."""
        return self.height / 480

    @property
    def focal(self) -> float:
        """Focal length: about 53 degrees across at 16:9."""
        return 1.78 * self.height

    @property
    def ahead(self) -> tuple[float, float]:
        """Where the point straight ahead of the camera at rest is seen, (x, y)."""
        return (self.width - 1) / 2, 0.42 * self.height

    def scale(self, depth: float) -> float:
        """Pixels to a metre at a depth in metres."""
        return self.focal / depth

    def reach(self, depth: float) -> float:
        """Largest |u| of the nominal view that any camera of `CameraPath` sees at a depth."""
        shift = self.scale(depth) * CameraPath.SIDEWAYS + 70 * self.unit
        return 1.03 * (self.width / 2 + shift) + 0.02 * self.height


@dataclass(frozen=True)
class Pose:
    """One camera: position in metres from rest, then image shift in pixels and roll in radians."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    roll: float = 0.0

    def upright(self, view: View, depth: float) -> Matrix:
        """Homography of the upright plane at `depth`: nominal (u, v, 1) to image pixels."""
        zoom = depth / (depth - self.z)
        move = view.scale(depth)
        plane = np.array(
            [[zoom, 0, -zoom * move * self.x], [0, zoom, -zoom * move * self.y], [0, 0, 1]]
        )
        return np.asarray(self._lens(view) @ plane)

    def ground(self, view: View) -> Matrix:
        """Homography of the ground: nominal (u, v, 1) to image pixels."""
        focal = view.focal
        plane = np.array(
            [
                [focal * EYE_HEIGHT, -focal * self.x, 0],
                [0, focal * (EYE_HEIGHT - self.y), 0],
                [0, -self.z, focal * EYE_HEIGHT],
            ]
        )
        return np.asarray(self._lens(view) @ (plane / plane[2, 2]))

    def _lens(self, view: View) -> Matrix:
        x, y = view.ahead
        middle = (view.height - 1) / 2 - y
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        to_middle = translation(self.shift_x, self.shift_y - middle)
        return np.asarray(translation(x, y + middle) @ turn @ to_middle)


class CameraPath:
    """A hand-held camera that walks to the right and pans along, turns round and comes back.

    Time is in frames at 24 frames a second. The first 60 frames are one sweep to the right.
    """

    SIDEWAYS = 0.6
    """Largest distance from rest to either side, metres."""

    def __init__(self, view: View, rng: np.random.Generator) -> None:
        self._unit = view.unit
        self._phases = rng.uniform(0, 2 * math.pi, (4, 3))

    def at(self, time: float) -> Pose:
        """Pose at a time in frames."""
        return Pose(
            x=self.SIDEWAYS * _wave(time, 170, -0.17),
            y=0.012 * self._tremble(time, 0),
            z=0.25 - 0.25 * math.cos(2 * math.pi * time / 190),
            shift_x=self._unit * (2 * self._tremble(time, 1) - 55 * _wave(time, 210, -0.14)),
            shift_y=self._unit * (1.5 * self._tremble(time, 2) - 4 * _wave(time, 130, 0)),
            roll=math.radians(0.3) * self._tremble(time, 3),
        )

    def _tremble(self, time: float, axis: int) -> float:
        """Unrest of a hand: slow and strong, quick and weak; about -1.5..1.5."""
        periods, strengths = (61.0, 23.0, 11.0), (1.0, 0.4, 0.12)
        return sum(
            strength * math.sin(2 * math.pi * time / period + phase)
            for period, strength, phase in zip(periods, strengths, self._phases[axis], strict=True)
        )


def translation(x: float, y: float) -> Matrix:
    """Homography that moves by (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def scaling(x: float, y: float) -> Matrix:
    """Homography that scales by (x, y) about the origin."""
    return np.diag([x, y, 1.0])


def rotation(angle: float) -> Matrix:
    """Homography that turns by `angle` radians about the origin, x towards y."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _wave(time: float, period: float, phase: float) -> float:
    return math.sin(2 * math.pi * (time / period + phase))
