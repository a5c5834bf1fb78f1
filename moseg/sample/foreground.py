"""The near half of the scene: ground with road and path, fence, birch, tall grass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.sample.scenery import Plane, foliage
from moseg.sample.textures import (
    Colour,
    Field,
    Painter,
    Picture,
    grain,
    picture,
    pink_noise,
    ramp,
    smoothstep,
)
from moseg.sample.view import EYE_HEIGHT, Matrix, View, translation

ROAD = (11.4, 17.4)
PATH = (7.7, 9.4)
BIRCH_DEPTH = 6.0
GRASS_DEPTH = 4.5

Side = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """The ground, painted as the camera at rest sees it; `corner` as in `Plane`."""

    painted: Picture
    corner: tuple[float, float]

    def from_picture(self) -> Matrix:
        """Homography from picture pixels to the nominal view."""
        return translation(*self.corner)


def ground(view: View, rng: np.random.Generator) -> Ground:
    """Meadow, a road with markings and a trodden path, from the horizon to the camera's feet."""
    lowest = (view.height - view.ahead[1]) * 1.1 + 16 * view.unit
    nearest = view.focal * EYE_HEIGHT / lowest
    width, height = 2 * math.ceil(view.reach(nearest)), math.ceil(lowest)
    rows = np.arange(1, height + 1, dtype=np.float32)
    depth = view.focal * EYE_HEIGHT / rows
    colours = _meadow(view, rng, height, width, rows)
    for (near, far), material in ((ROAD, _asphalt), (PATH, _earth)):
        soft = 0.02 if material is _asphalt else 0.5
        fray = soft * pink_noise(rng, height, width, slope=0.9, largest=60 * view.unit)
        share = _band(depth[:, None] + fray, near, far, max(soft, 0.04))
        colours += share[..., None] * (material(view, rng, height, width) - colours)
    opaque = np.ones((height, width), np.float32)
    opaque[0] = 0.5
    ground = Ground(picture(colours, opaque), (-width / 2, 1))
    _markings(view, ground)
    _blades(view, rng, ground)
    return ground


def fence(view: View, rng: np.random.Generator) -> Plane:
    """A wooden fence along the far side of the road."""
    depth, tall = 19.5, 1.15
    scale = view.scale(depth)
    width, height = 2 * math.ceil(view.reach(depth)), math.ceil((tall + 0.3) * scale)
    span = width / scale
    painter = Painter(height, width, scale, (span / 2, tall + 0.1))
    for level in (0.42, 0.92):
        xs = np.arange(-span / 2, span / 2 + 2, 1.1)
        heights = -level + rng.normal(0, 0.03, xs.size)
        painter.stroke(np.stack([xs, heights], axis=1), 0.1, (150, 132, 108))
        painter.stroke(np.stack([xs, heights + 0.05], axis=1), 0.035, (84, 70, 56))
    for x in np.arange(-span / 2, span / 2, 2.2):
        post, lean = float(x + rng.normal(0, 0.05)), float(rng.normal(0, 0.03))
        top = -tall * float(rng.uniform(0.9, 1.0))
        painter.stroke([(post, 0.05), (post + lean, top)], 0.15, (128, 110, 88))
        painter.stroke([(post + 0.05, 0.05), (post + lean + 0.05, top)], 0.05, (78, 64, 52))
    painted = grain(painter.finish(), pink_noise(rng, height, width, slope=0.6), 0.14)
    return Plane(painted, (-width / 2, (EYE_HEIGHT - tall - 0.1) * scale), depth)


def birch(view: View, rng: np.random.Generator, x: float) -> Plane:
    """A birch that stands at `x` metres between the path and the camera."""
    scale, tall, half = view.scale(BIRCH_DEPTH), 4.2, 1.5
    height, width = math.ceil((tall + 0.15) * scale), math.ceil(2 * half * scale)
    painter = Painter(height, width, scale, (half, tall))
    heights = np.linspace(0.06, -tall - 0.2, 40)
    wobble = 0.02 * pink_noise(rng, 1, 40, slope=1.2)[0].astype(np.float64)
    radius = 0.12 - 0.006 * heights + 0.05 * np.exp(heights / 0.1) + 0.004 * rng.normal(0, 1, 40)
    left, right = wobble - radius, wobble + radius
    painter.polygon(_outline(left, right, heights), (206, 202, 192))
    painter.polygon(_outline(right - 0.7 * radius, right, heights), (172, 166, 160))
    painter.polygon(_outline(right - 0.3 * radius, right, heights), (126, 120, 118))
    for _ in range(75):
        at = float(rng.uniform(-tall, 0))
        long = float(rng.uniform(0.01, 0.055))
        middle = float(np.interp(-at, -heights, wobble))
        middle += float(rng.uniform(-1, 1)) * (float(np.interp(-at, -heights, radius)) - long)
        painter.ellipse((middle, at), (long, float(rng.uniform(0.006, 0.02))), (52, 46, 44))
    for _ in range(9):
        start, side = float(rng.uniform(-tall, -2.3)), float(rng.choice([-1.0, 1.0]))
        reach = float(rng.uniform(0.4, 1.1))
        tip = (side * reach, start + float(rng.uniform(-0.1, 0.5)))
        painter.stroke(
            [(0.05 * side, start), (0.6 * tip[0], 0.6 * tip[1] + 0.4 * start - 0.06), tip],
            0.02,
            (70, 60, 54),
        )
        foliage(painter, rng, tip, 0.34, (126, 142, 52), 0.026, 150)
    for foot in rng.uniform(-0.34, 0.34, 90):
        tip = (
            float(foot + rng.normal(0, 0.06)),
            -float(rng.uniform(0.03, 0.26)) * (1.1 - abs(foot)),
        )
        green = float(rng.uniform(0.6, 1.2))
        painter.stroke([(float(foot), 0.06), tip], 0.012, (100 * green, 118 * green, 52 * green))
    bark = pink_noise(rng, height, width, slope=0.8, stretch=2.0, largest=40 * view.unit)
    painted = grain(painter.finish(), bark, 0.1)
    corner = ((x - half) * scale, (EYE_HEIGHT - tall) * scale)
    return Plane(painted, corner, BIRCH_DEPTH)


def tall_grass(view: View, rng: np.random.Generator) -> Plane:
    """Tufts of high grass and herbs right before the camera, mostly at the sides."""
    depth, tall = GRASS_DEPTH, 0.75
    scale = view.scale(depth)
    width, height = 2 * math.ceil(view.reach(depth)), math.ceil((tall + 0.3) * scale)
    span = width / scale
    painter = Painter(height, width, scale, (span / 2, tall))
    tufts = np.arange(-span / 2, span / 2, 0.16)
    swell = pink_noise(rng, 1, tufts.size, slope=1.2)[0]
    for x, size in zip(tufts, np.clip(0.2 + 0.17 * swell, 0.0, 0.5), strict=True):
        for _ in range(12):
            foot, lean = float(x + rng.normal(0, 0.1)), float(rng.normal(0, 0.12))
            tip = -(float(size) * float(rng.uniform(0.5, 1.5))) + 0.1
            green = float(rng.uniform(0.6, 1.6))
            colour: Colour = (92 * green + 14, 112 * green, 48 * green)
            bend = (foot + 0.3 * lean, 0.3 + 0.6 * (tip - 0.3))
            painter.stroke([(foot, 0.3), bend, (foot + lean, tip)], 0.014, colour)
        if size > 0.3 and rng.uniform() < 0.6:
            flower: Colour = (236, 226, 214) if rng.uniform() < 0.5 else (214, 170, 66)
            painter.ellipse((float(x), -float(size)), (0.025, 0.02), flower)
    return Plane(painter.finish(), (-width / 2, (EYE_HEIGHT - tall) * scale), depth)


def _meadow(view: View, rng: np.random.Generator, height: int, width: int, rows: Field) -> Field:
    broad = pink_noise(rng, height, width, slope=1.2, stretch=3.5, largest=220 * view.unit)
    fine = pink_noise(rng, height, width, slope=0.55, stretch=1.5)
    grass = ramp(
        broad, (-2, -0.5, 0.8, 2), ((74, 92, 42), (102, 118, 54), (142, 144, 74), (166, 152, 88))
    )
    distance = np.exp(-rows / (26 * view.unit))[:, None, None]
    lush = grass * (1 + (0.17 * fine)[..., None])
    return np.asarray(lush + 0.5 * distance * ((176, 176, 130) - lush), np.float32)


def _asphalt(view: View, rng: np.random.Generator, height: int, width: int) -> Field:
    patches = pink_noise(rng, height, width, slope=1.2, stretch=5, largest=80 * view.unit)
    gravel = pink_noise(rng, height, width, slope=0.35, stretch=2)
    base = ramp(patches, (-2, 0, 2), ((92, 92, 98), (120, 119, 120), (142, 139, 134)))
    return np.asarray(base * (1 + 0.09 * gravel[..., None]), np.float32)


def _earth(view: View, rng: np.random.Generator, height: int, width: int) -> Field:
    patches = pink_noise(rng, height, width, slope=0.9, stretch=3, largest=60 * view.unit)
    return ramp(patches, (-2, 0, 2), ((126, 102, 74), (168, 142, 106), (200, 176, 138)))


def _band(depth: Field, near: float, far: float, soft: float) -> Field:
    return smoothstep(depth, near - soft, near + soft) * smoothstep(
        -depth, -far - soft, -far + soft
    )


def _markings(view: View, ground: Ground) -> None:
    """Paint the lines of the road onto the ground's picture."""
    height, width = ground.painted.shape[:2]
    paint = np.zeros((height, width), np.uint8)
    span = width / 2 / view.scale(ROAD[1])
    stretches = [(ROAD[0] + 0.25, 0.12, -span, span), (ROAD[1] - 0.25, 0.2, -span, span)]
    stretches += [(14.5, 0.16, x, x + 2.2) for x in np.arange(-span, span, 5.0)]
    for depth, wide, left, right in stretches:
        corners = [
            (left, depth - wide / 2),
            (right, depth - wide / 2),
            (right, depth + wide / 2),
            (left, depth + wide / 2),
        ]
        pixels = [
            (x * view.scale(z) - ground.corner[0], EYE_HEIGHT * view.scale(z) - ground.corner[1])
            for x, z in corners
        ]
        fixed = np.round(np.asarray(pixels) * 16).astype(np.int32)
        cv2.fillPoly(paint, [fixed], (225.0,), cv2.LINE_AA, 4)
    share = paint[..., None].astype(np.float32) / 255
    colours = ground.painted[..., :3]
    colours[:] = (colours + share * (np.float32(226) - colours)).astype(np.uint8)


def _blades(view: View, rng: np.random.Generator, ground: Ground) -> None:
    """Paint single blades of grass onto the near meadow, larger the nearer they are."""
    height, width = ground.painted.shape[:2]
    colours = ground.painted[..., :3].copy()
    rows = np.sort(height * np.sqrt(rng.uniform(0.03, 1, 9000)))
    for row, column in zip(rows, rng.uniform(0, width, rows.size), strict=True):
        depth = view.focal * EYE_HEIGHT / row
        if any(near - 0.3 < depth < far + 0.3 for near, far in (ROAD, PATH)):
            continue
        long, bright = 0.07 * view.scale(depth), float(rng.uniform(0.6, 1.3))
        tip = (column + float(rng.normal(0, 0.3)) * long, row - long * float(rng.uniform(0.5, 1.2)))
        ends = np.round(np.array([(column, row), tip]) * 16).astype(np.int32)
        ink = (104 * bright + 10, 124 * bright, 52 * bright)
        cv2.polylines(colours, [ends], False, ink, 1, cv2.LINE_AA, 4)
    ground.painted[..., :3] = np.minimum(colours, ground.painted[..., 3:])


def _outline(left: Side, right: Side, heights: Side) -> Side:
    """Closed outline of a trunk between two sides, [2 * n, 2]."""
    down = np.stack([left, heights], axis=1)
    up = np.stack([right, heights], axis=1)[::-1]
    return np.concatenate([down, up])
