"""What changes in the picture without being an object: shadows, fluids, smoke, light."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate import outlines
from moseg.motion.simulate.building import FACING, LYING, painted, patch
from moseg.motion.simulate.paths import Rng, log_uniform, turned, wander
from moseg.motion.simulate.places import Place
from moseg.motion.simulate.scene import Outline, Paint, Role, Surface, Waves

Array = NDArray[np.float64]

_ABOVE = 0.01
"""Metres between a patch and what it lies on."""
_BEHIND = 1.05
"""Times the depth of a thing is the depth of a shadow behind it, where there is no ground."""
_GROUND_IN_VIEW = 5.0
"""Times its height below the camera is the depth from which on ground is mostly in view."""
_AWAY = np.array([0.0, 0.0, -100.0])
"""Where things are before and after their time: behind every camera."""


@dataclass(frozen=True)
class Effect:
    """Surfaces to add to a scene, and a factor to its light in each frame, [T]."""

    surfaces: tuple[Surface, ...]
    light: Array


Maker = Callable[[Rng, int, Place, Sequence[Array]], Effect]
"""Makes an effect for a number of frames in a place, given the paths [T, 3] of what is there."""


def _plain(frames: int, surfaces: Sequence[Surface]) -> Effect:
    return Effect(tuple(surfaces), np.ones(frames))


def _lie(place: Place, path: Array) -> tuple[Array, Array]:
    """Rotation and positions of a patch under, or behind, a path [T, 3]."""
    if place.ground is None:
        return FACING, _BEHIND * path
    spot = path.copy()
    spot[:, 1] = place.ground - _ABOVE
    return LYING, spot


def _somewhere(rng: Rng, place: Place) -> Array:
    """A point that is likely in view, and the ground under it too, [3]."""
    near = max(place.near, min(_GROUND_IN_VIEW * (place.ground or 0), 0.8 * place.far))
    depth = log_uniform(rng, near, place.far)
    return np.array([rng.uniform(-0.5, 0.5) * depth, rng.uniform(-0.2, 0.2) * depth, depth])


def _travel(rng: Rng, frames: int, place: Place, fastest: float = 0.02) -> Array:
    """A path through the view, [T, 3]."""
    middle = _somewhere(rng, place)
    speed = log_uniform(rng, 0.002, fastest) * middle[2]
    way = np.array([rng.normal(), 0.2 * rng.normal(), 0.4 * rng.normal()])
    way /= np.linalg.norm(way)
    return np.asarray(middle + (np.arange(frames) - frames / 2)[:, None] * speed * way)


def _waving(
    rng: Rng, frames: int, length: float, steep: float, flat: bool, period: tuple[float, float]
) -> Waves:
    """Waves about `length` long; `flat` ones leave the surface's plane alone."""
    lengths = length * rng.uniform(0.6, 1.6, 2)
    angles = rng.uniform(0, 2 * np.pi, 2)
    vector = 2 * np.pi / lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    amplitude = steep * lengths[:, None] / (2 * np.pi) * rng.uniform(-1, 1, (2, 3))
    amplitude[:, 2] *= not flat
    speed = 2 * np.pi / rng.uniform(*period, 2)
    phase = np.arange(frames)[:, None] * speed + rng.uniform(0, 2 * np.pi, 2)
    return Waves(vector, amplitude, phase)


def _sized(outline: Outline, size: float) -> Outline:
    return Outline(outline.radius, size * outline.stretch)


def _veil(surface: Surface, opacity: float) -> Surface:
    return replace(surface, opacity=opacity)


def shadow(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:
    """Shadows of what moves, or of something out of view."""
    surfaces = []
    for path in list(paths) or [_travel(rng, frames, place)]:
        offset = np.array([rng.uniform(-0.8, 0.8), 0, rng.uniform(-0.3, 0.3)])
        rotation, position = _lie(place, path + offset)
        size = rng.uniform(0.08, 0.25) * path[0, 2]
        outline = outlines.blob(rng, 2.2 * size, size)
        dark = Paint("plain", 0, 1.0, np.full((2, 3), rng.uniform(0, 25)))
        lying = patch(Role.EFFECT, outline, rotation, position, dark, frames)
        surfaces.append(_veil(lying, rng.uniform(0.35, 0.7)))
    return _plain(frames, surfaces)


def water(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:  # noqa: ARG001
    """A stretch of water that waves on the spot and drifts a little."""
    middle = _somewhere(rng, place)
    rotation, position = _lie(place, np.broadcast_to(middle, (frames, 3)))
    size = rng.uniform(0.5, 1.4) * middle[2]
    surface = patch(
        Role.EFFECT,
        outlines.blob(rng, 2 * size, size),
        rotation,
        position,
        painted(rng, 0.4 * size),
        frames,
    )
    waves = _waving(rng, frames, 0.15 * size, 0.22, True, (6, 20))
    return _plain(frames, [replace(surface, waves=waves)])


def smoke(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:  # noqa: ARG001
    """Puffs that rise and drift apart."""
    source, time = _somewhere(rng, place), np.arange(frames)[:, None]
    grey = rng.uniform(60, 230)
    surfaces = []
    for _ in range(int(rng.integers(3, 7))):
        size = rng.uniform(0.06, 0.22) * source[2]
        way = np.array([rng.normal(0, 0.5), -rng.uniform(0.2, 1), 0.2 * rng.normal()])
        start = source + size * rng.normal(0, 0.8, 3)
        path = start + (time - frames / 2) * way * rng.uniform(0.02, 0.12) * size
        look = Paint(
            "cloud",
            int(rng.integers(1 << 30)),
            2.5 * size,
            np.clip(np.array([[grey - 35] * 3, [grey + 35] * 3]), 0, 255),
        )
        outline = outlines.blob(rng, 1.5 * size, size)
        puff = patch(Role.EFFECT, outline, FACING, path, look, frames)
        puff = replace(puff, waves=_waving(rng, frames, size, 0.2, True, (10, 30)))
        surfaces.append(_veil(puff, rng.uniform(0.3, 0.85)))
    return _plain(frames, surfaces)


def _drops(rng: Rng, frames: int, count: int, size: float, colour: float) -> list[Surface]:
    surfaces = []
    for _ in range(count):
        look = Paint("plain", 0, 1.0, np.full((2, 3), colour) + rng.normal(0, 8, 3))
        outline = outlines.blob(rng, size * rng.uniform(0.6, 1.6), size)
        surfaces.append(patch(Role.EFFECT, outline, FACING, (0, 0, 0), look, frames))
    return surfaces


def spray(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:
    """Drops that fly up from a place, or from a moving thing, and fall within a few frames."""
    source = paths[0] if paths else np.broadcast_to(_somewhere(rng, place), (frames, 3))
    size = rng.uniform(0.015, 0.05) * source[0, 2]
    drops = []
    for drop in _drops(rng, frames, int(rng.integers(7, 14)), size, rng.uniform(170, 250)):
        born, life = rng.uniform(-4, frames), rng.uniform(4, 10)
        age = np.arange(frames) - born
        speed = rng.uniform(0.3, 1.2) * size
        way = np.array([rng.normal(0, 0.8), -rng.uniform(0.5, 1.5), rng.normal(0, 0.3)])
        fall = np.array([0, 0.08 * speed, 0])
        alive = (age >= 0) & (age < life)
        origin = source[int(np.clip(round(born), 0, frames - 1))]
        path = origin + age[:, None] * speed * way + np.square(age)[:, None] * fall
        drops.append(replace(drop, position=np.where(alive[:, None], path, _AWAY)))
    return _plain(frames, drops)


def flicker(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:  # noqa: ARG001
    """Light that flickers, or changes all at once."""
    if rng.random() < 0.5:
        light = 1 + rng.normal(0, rng.uniform(0.03, 0.12), frames)
    else:
        light = np.where(np.arange(frames) < rng.uniform(0, frames), 1.0, rng.uniform(0.6, 1.4))
    return Effect((), np.clip(light, 0.5, 1.5))


def foliage(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:  # noqa: ARG001
    """Leaves that sway on a bush."""
    middle = _somewhere(rng, place)
    size = rng.uniform(0.04, 0.1) * middle[2]
    look = painted(rng, size)
    leaves = []
    for _ in range(int(rng.integers(7, 15))):
        anchor = middle + size * rng.normal(0, 1.6, 3)
        gust = np.stack([wander(rng, frames, 0.25 * size, 8) for _ in range(3)], axis=1)
        angle = rng.uniform(0, 6) + wander(rng, frames, 0.25, 8)
        outline = outlines.ellipse(size * rng.uniform(0.4, 0.9), size * rng.uniform(0.8, 1.5))
        leaf = patch(Role.EFFECT, outline, turned(z=angle), anchor + gust, look, frames)
        leaves.append(leaf)
    return _plain(frames, leaves)


def snow(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:  # noqa: ARG001
    """Flakes that fall through the picture."""
    flakes = []
    for flake in _drops(rng, frames, int(rng.integers(10, 20)), 1.0, rng.uniform(200, 250)):
        start = _somewhere(rng, place)
        size, speed = rng.uniform(0.008, 0.025) * start[2], rng.uniform(0.01, 0.04) * start[2]
        drift = np.stack([wander(rng, frames, size, 12), 0 * np.arange(frames)], axis=1)
        path = start + np.arange(-frames // 2, frames - frames // 2)[:, None] * [0, speed, 0]
        path[:, :2] += drift
        flakes.append(replace(flake, outline=_sized(flake.outline, size), position=path))
    return _plain(frames, flakes)


def caustics(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:  # noqa: ARG001
    """Nets of light that play on a surface."""
    surfaces = []
    for _ in range(int(rng.integers(2, 5))):
        path = _travel(rng, frames, place, 0.01)
        rotation, position = _lie(place, path)
        size = rng.uniform(0.15, 0.4) * path[0, 2]
        look = Paint(
            "stripes", int(rng.integers(1 << 30)), size, np.array([[120.0] * 3, [255.0] * 3])
        )
        light = patch(
            Role.EFFECT, outlines.blob(rng, 2 * size, size), rotation, position, look, frames
        )
        waves = _waving(rng, frames, 0.4 * size, 0.2, True, (8, 20))
        surfaces.append(_veil(replace(light, waves=waves), rng.uniform(0.15, 0.4)))
    return _plain(frames, surfaces)


def spotlight(rng: Rng, frames: int, place: Place, paths: Sequence[Array]) -> Effect:  # noqa: ARG001
    """A patch of light that sweeps over the scenery."""
    rotation, position = _lie(place, _travel(rng, frames, place))
    size = rng.uniform(0.15, 0.4) * position[0, 2]
    white = Paint("plain", 0, 1.0, np.full((2, 3), 255.0))
    outline = outlines.ellipse(2 * size, size)
    light = patch(Role.EFFECT, outline, rotation, position, white, frames)
    return _plain(frames, [_veil(light, rng.uniform(0.3, 0.6))])


MAKERS: dict[str, Maker] = {
    "shadow": shadow,
    "water": water,
    "smoke": smoke,
    "spray": spray,
    "flicker": flicker,
    "foliage": foliage,
    "snow": snow,
    "caustics": caustics,
    "spotlight": spotlight,
}
"""What each effect is called."""
