"""The far half of the scene: sky, mountains, hills and a line of trees.

Every builder returns a `Plane`: a picture painted as the camera at rest sees it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from moseg.sample.textures import (
    Colour,
    Field,
    Painter,
    Picture,
    grain,
    picture,
    pink_noise,
    ramp,
    relief,
    smoothstep,
)
from moseg.sample.view import EYE_HEIGHT, Matrix, View, translation

HAZE: Colour = (198, 208, 214)


@dataclass(frozen=True)
class Plane:
    """An upright plane of scenery.

    `corner` is the nominal (u, v) of the picture's first pixel, `depth` in metres.
    """

    painted: Picture
    corner: tuple[float, float]
    depth: float

    def from_picture(self) -> Matrix:
        """Homography from picture pixels to the nominal view."""
        return translation(*self.corner)


def sky(view: View, rng: np.random.Generator) -> Plane:
    """Blue sky, paler towards the horizon, with clouds in long banks."""
    depth = 1e6
    top, bottom = _rows(view, -1.1 * view.ahead[1] - 20 * view.unit, 24 * view.unit)
    height, width = bottom - top, _columns(view, depth)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    air = ramp(
        np.repeat(down, width, axis=1),
        (0.0, 0.55, 1.0),
        ((72, 122, 184), (142, 180, 214), (232, 224, 206)),
    )
    puffs = pink_noise(rng, height, width, slope=1.6, stretch=2.4, largest=200 * view.unit)
    cloud = smoothstep(puffs + 0.5 * (0.5 - np.abs(down - 0.45)), 0.2, 1.7) * 0.92
    soft = np.asarray(cv2.GaussianBlur(puffs, (0, 0), 2 * view.unit), np.float32)
    lit = ramp(relief(soft), (-1, 1), ((196, 202, 214), (255, 252, 246)))
    colours = air + cloud[..., None] * (lit - air)
    return Plane(picture(colours, np.ones((height, width), np.float32)), (-width / 2, top), depth)


def mountains(view: View, rng: np.random.Generator) -> Plane:
    """A far range with snow on its tops, blue in the haze."""
    depth = 2500.0
    top, bottom = _rows(view, -128 * view.unit, 8 * view.unit)
    height, width = bottom - top, _columns(view, depth)
    rock = pink_noise(rng, height, width, slope=1.7, largest=120 * view.unit)
    ridge = _ridge(view, rng, width, slope=1.3, largest=500) * 20 * view.unit + 74 * view.unit
    above = _above(top, height, ridge)
    share = np.clip(above / ridge.max(), 0, 1)
    stone = ramp(relief(rock), (-1, 1), ((58, 72, 100), (150, 148, 150)))
    snow_line = smoothstep(0.3 - share + 0.07 * rock, 0.0, 0.12)
    snow = ramp(relief(rock), (-1, 1), ((150, 168, 200), (248, 248, 250)))
    colours = _hazed(stone * (1 - snow_line[..., None]) + snow * snow_line[..., None], 0.38)
    return Plane(picture(colours, _edge(above)), (-width / 2, top), depth)


def hills(view: View, rng: np.random.Generator) -> Plane:
    """Rolling hills with meadows, fields and woods."""
    depth = 260.0
    top, bottom = _rows(view, -74 * view.unit, 8 * view.unit)
    height, width = bottom - top, _columns(view, depth)
    ridge = _ridge(view, rng, width, slope=1.6, largest=500) * 15 * view.unit + 32 * view.unit
    above = _above(top, height, ridge)
    cover = pink_noise(rng, height, width, slope=1.1, stretch=2.5, largest=90 * view.unit)
    meadow = ramp(
        cover,
        (-1.6, -0.3, 0.6, 1.8),
        ((96, 112, 62), (140, 148, 82), (182, 170, 98), (120, 134, 70)),
    )
    fine = pink_noise(rng, height, width, slope=0.55)
    wood = ramp(fine, (-2, 0, 2), ((30, 46, 34), (54, 76, 46), (98, 112, 62)))
    woods = smoothstep(pink_noise(rng, height, width, slope=1.3, stretch=2.5), 0.1, 0.35)
    colours = meadow * (1 + 0.1 * fine[..., None])
    colours += woods[..., None] * (wood - colours)
    return Plane(picture(_hazed(colours, 0.22), _edge(above)), (-width / 2, top), depth)


def tree_line(view: View, rng: np.random.Generator) -> Plane:
    """Broad trees and bushes in a loose row behind the road."""
    depth = 36.0
    scale = view.scale(depth)
    width, height = _columns(view, depth), math.ceil(8.2 * scale)
    span = width / scale
    painter = Painter(height, width, scale, (span / 2, 8.0))
    for x in np.arange(-span / 2, span / 2, 1.3):
        _bush(painter, rng, float(x + rng.normal(0, 0.4)), float(rng.uniform(0.6, 1.5)))
    gaps = rng.uniform(0, 1, 64)
    for index, x in enumerate(np.arange(-span / 2, span / 2, 3.0)):
        if gaps[index % 64] < 0.72:
            _tree(painter, rng, float(x + rng.normal(0, 0.7)), float(rng.uniform(3.6, 7.4)))
    noise = pink_noise(rng, height, width, slope=0.7)
    painted = grain(painter.finish(), noise, 0.16)
    return Plane(painted, (-width / 2, (EYE_HEIGHT - 8.0) * scale), depth)


def foliage(
    painter: Painter,
    rng: np.random.Generator,
    centre: tuple[float, float],
    radius: float,
    base: Colour,
    leaf: float,
    count: int,
) -> None:
    """A crown of leaf clusters in metres, dark below and at the right, lit from the upper left.

    Leaves that would be smaller than a pixel are painted as fewer, larger ones.
    """
    share = min(1.0, leaf * painter.scale)
    leaf, count = leaf / share, max(12, round(count * share**2))
    angle, far = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    offsets = np.stack([np.cos(angle), 0.82 * np.sin(angle)], axis=1) * far[:, None]
    light = -(0.55 * offsets[:, 0] + 0.8 * offsets[:, 1]) + rng.normal(0, 0.3, count)
    factor = np.clip(0.78 + 0.5 * light, 0.28, 1.65)[:, None]
    colours = np.clip(factor * np.asarray(base) + rng.normal(0, 7, (count, 3)), 0, 255)
    sizes, turns = leaf * rng.uniform(0.6, 1.4, count), rng.uniform(0, np.pi, count)
    for index in np.argsort(light):
        x, y = np.asarray(centre) + offsets[index] * radius
        red, green, blue = colours[index]
        size = float(sizes[index])
        painter.ellipse((x, y), (size, 0.7 * size), (red, green, blue), float(turns[index]))


def _tree(painter: Painter, rng: np.random.Generator, x: float, tall: float) -> None:
    base: Colour = [(74, 98, 44), (92, 108, 46), (60, 88, 52), (134, 118, 48)][int(rng.integers(4))]
    lean = float(rng.normal(0, 0.2))
    painter.stroke([(x, 0.0), (x + lean, -0.6 * tall)], 0.05 * tall, (62, 50, 40))
    for _ in range(6):
        centre = (
            x + lean + float(rng.normal(0, 0.12)) * tall,
            -tall * float(rng.uniform(0.36, 0.82)),
        )
        foliage(painter, rng, centre, 0.2 * tall, base, 0.018 * tall, 170)


def _bush(painter: Painter, rng: np.random.Generator, x: float, tall: float) -> None:
    foliage(painter, rng, (x, -0.45 * tall), 0.75 * tall, (66, 86, 42), 0.07, 110)


def _columns(view: View, depth: float) -> int:
    return 2 * math.ceil(view.reach(depth))


def _rows(view: View, top: float, bottom: float) -> tuple[int, int]:
    """Whole rows of the nominal view from `top` to `bottom`, widened for the camera's unrest."""
    return math.floor(top - 12 * view.unit), math.ceil(bottom + 12 * view.unit) + 1


def _ridge(view: View, rng: np.random.Generator, width: int, slope: float, largest: float) -> Field:
    line = pink_noise(rng, 1, width, slope, largest=largest * view.unit)
    return np.asarray(line[0])


def _above(top: int, height: int, ridge: Field) -> Field:
    """Pixels by which each pixel lies under a ridge line, negative over it; [height, width].

    `ridge` is the height of the line over the horizon and `top` the first row, in pixels.
    """
    rows = np.arange(top, top + height, dtype=np.float32)[:, None]
    return np.asarray(rows + ridge[None, :], np.float32)


def _edge(above: Field) -> Field:
    return np.asarray(np.clip(above + 0.5, 0, 1))


def _hazed(colours: Field, share: float) -> Field:
    return np.asarray(colours + share * (np.asarray(HAZE, np.float32) - colours), np.float32)
