"""Places: the scenery that rests, with room for things that do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate import outlines
from moseg.motion.simulate.bodies import MAKERS as BODIES
from moseg.motion.simulate.building import FACING, LYING, painted, patch, posed
from moseg.motion.simulate.paths import Rng, log_uniform, turned
from moseg.motion.simulate.scene import Role, Surface

Array = NDArray[np.float64]


_THINNEST = 0.012
"""Width of a pole as a share of its depth, at least: thinner ones fall between the pixels."""


@dataclass(frozen=True)
class Place:
    """Scenery.

    Attributes:
        surfaces: background and occluders.
        ground: height y of the ground, metres below the camera; None where there is none.
        near, far: depths between which objects may be.
    """

    surfaces: tuple[Surface, ...]
    ground: float | None
    near: float
    far: float


Maker = Callable[[Rng, int], Place]
"""Makes a place for a number of frames."""


def _ground(rng: Rng, frames: int, height: float) -> Surface:
    paint = painted(rng, rng.uniform(1.2, 4))
    return patch(Role.BACKGROUND, outlines.endless(), LYING, (0, height, 0), paint, frames)


def _backdrop(rng: Rng, frames: int, depth: float, turn: float = 0.0) -> Surface:
    paint = painted(rng, 0.35 * depth)
    return patch(Role.BACKGROUND, outlines.endless(), turned(y=turn), (0, 0, depth), paint, frames)


def _thing(
    rng: Rng, frames: int, names: Sequence[str], height: float, foot: Sequence[float]
) -> list[Surface]:
    """A body at rest that stands on a point of the world."""
    parts = BODIES[names[int(rng.integers(len(names)))]](rng, height, np.zeros(frames))
    middle = np.broadcast_to(np.asarray(foot, np.float64) - (0, height / 2, 0), (frames, 3))
    turn = np.broadcast_to(turned(y=rng.normal(0, 0.3)), (frames, 3, 3))
    return posed(parts, Role.OCCLUDER, turn, middle, painted(rng, height), rng)


def _post(rng: Rng, frames: int, foot: Sequence[float], lean: float = 0.0) -> Surface:
    """A pole, trunk or lamp post."""
    length, width = rng.uniform(1.5, 5), max(log_uniform(rng, 0.05, 0.4), _THINNEST * foot[2])
    turn = turned(0.0, rng.normal(0, 0.2), rng.normal(0, 1) * lean)
    middle = np.asarray(foot, np.float64) - turn @ np.array([0, length / 2, 0])
    outline = outlines.rectangle(width, length)
    return patch(Role.OCCLUDER, outline, turn, middle, painted(rng, 4 * width), frames)


def _spot(rng: Rng, near: float, far: float, y: float) -> tuple[float, float, float]:
    """A point of the ground that is likely in view."""
    depth = log_uniform(rng, near, far)
    return float(rng.uniform(-0.6, 0.6) * depth), y, depth


def _things(
    rng: Rng, frames: int, most: int, names: Sequence[str], reach: tuple[float, float], y: float
) -> list[Surface]:
    """Up to `most` bodies and posts on the ground between two depths."""
    surfaces: list[Surface] = []
    for _ in range(int(rng.integers(0, most + 1))):
        foot = _spot(rng, *reach, y)
        if rng.random() < 0.4:
            surfaces.append(_post(rng, frames, foot))
        else:
            surfaces += _thing(rng, frames, names, log_uniform(rng, 0.3, 2.2), foot)
    return surfaces


def open_ground(rng: Rng, frames: int) -> Place:
    """Ground to a far backdrop, with a few things on it."""
    y, far = rng.uniform(0.8, 2.2), log_uniform(rng, 14, 60)
    surfaces = [_backdrop(rng, frames, far), _ground(rng, frames, y)]
    surfaces += _things(rng, frames, 5, ("blob", "box", "shard"), (2.5, 0.8 * far), y)
    return Place(tuple(surfaces), y, 3.0, min(12.0, 0.7 * far))


def street(rng: Rng, frames: int) -> Place:
    """Ground between two walls that run ahead."""
    y, far = rng.uniform(1.2, 2), rng.uniform(15, 40)
    surfaces = [_backdrop(rng, frames, far), _ground(rng, frames, y)]
    for side in (-1, 1):
        across = side * rng.uniform(2.5, 6)
        wall = patch(
            Role.BACKGROUND,
            outlines.endless(),
            turned(y=np.pi / 2),
            (across, 0, 0),
            painted(rng, 4),
            frames,
        )
        surfaces.append(wall)
    surfaces += _things(rng, frames, 4, ("box", "blob"), (3, 10), y)
    return Place(tuple(surfaces), y, 3.5, 11.0)


def wall(rng: Rng, frames: int) -> Place:
    """One wall, or the ground from above: a single plane."""
    depth = rng.uniform(4, 10)
    surface = _backdrop(rng, frames, depth, rng.normal(0, 0.2))
    return Place((surface,), None, 0.5 * depth, 0.8 * depth)


def layers(rng: Rng, frames: int) -> Place:
    """Upright layers behind one another, the nearest close by."""
    far = rng.uniform(15, 40)
    surfaces = [_backdrop(rng, frames, far)]
    for depth in np.sort(_log_uniform_many(rng, 2.0, 0.8 * far, int(rng.integers(3, 7)))):
        size = depth * rng.uniform(0.25, 0.8)
        outline = outlines.blob(rng, size * rng.uniform(0.5, 2), size)
        place = (rng.uniform(-0.6, 0.6) * depth, rng.uniform(-0.4, 0.4) * depth, depth)
        turn = turned(rng.normal(0, 0.15), rng.normal(0, 0.2), rng.uniform(0, 6))
        surfaces.append(patch(Role.OCCLUDER, outline, turn, place, painted(rng, size), frames))
    return Place(tuple(surfaces), None, 3.5, 11.0)


def _log_uniform_many(rng: Rng, low: float, high: float, count: int) -> Array:
    """Several numbers like `log_uniform`, [count]."""
    return np.exp(rng.uniform(np.log(low), np.log(high), count))


def corner(rng: Rng, frames: int) -> Place:
    """Two walls that meet, and a floor."""
    y, depth, open_by = rng.uniform(1, 1.8), rng.uniform(8, 13), rng.uniform(0.4, 0.8)
    shift = rng.uniform(-1.5, 1.5)
    surfaces = [_ground(rng, frames, y)]
    for side in (-1, 1):
        turn = turned(y=side * open_by)
        surfaces.append(
            patch(
                Role.BACKGROUND,
                outlines.endless(),
                turn,
                (shift, 0, depth),
                painted(rng, 5),
                frames,
            )
        )
    surfaces += _things(rng, frames, 4, ("star", "roof"), (3, 0.6 * depth), y)
    return Place(tuple(surfaces), y, 3.0, 0.55 * depth)


def terraces(rng: Rng, frames: int) -> Place:
    """Bands that rise like steps towards a backdrop."""
    y, far = rng.uniform(1.2, 2), rng.uniform(20, 50)
    surfaces = [_backdrop(rng, frames, far), _ground(rng, frames, y)]
    for depth in np.linspace(0.35, 0.85, int(rng.integers(2, 5))) * far:
        height = (0.05 + 0.12 * rng.random()) * depth
        outline = outlines.rectangle(1.2 * depth, height)
        place = (rng.uniform(-0.5, 0.5) * depth, y - height / 2, depth)
        surfaces.append(patch(Role.OCCLUDER, outline, FACING, place, painted(rng, 5), frames))
    surfaces += _things(rng, frames, 3, ("star", "roof"), (3, 0.3 * far), y)
    return Place(tuple(surfaces), y, 3.0, 0.3 * far)


def thicket(rng: Rng, frames: int) -> Place:
    """Slanted poles at all depths before a backdrop."""
    y, far = rng.uniform(1.2, 2), rng.uniform(12, 25)
    surfaces = [_backdrop(rng, frames, far), _ground(rng, frames, y)]
    for _ in range(int(rng.integers(5, 12))):
        surfaces.append(_post(rng, frames, _spot(rng, 2.0, 0.9 * far, y), lean=0.25))
    return Place(tuple(surfaces), y, 3.0, 10.0)


MAKERS: dict[str, Maker] = {
    "open ground": open_ground,
    "street": street,
    "wall": wall,
    "layers": layers,
    "corner": corner,
    "terraces": terraces,
    "thicket": thicket,
}
"""What each place is called."""
