"""A scene from a seed and a kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moseg.core.seeds import derive_seed
from moseg.motion.simulate import bodies, cameras, effects, motions, places
from moseg.motion.simulate.building import frozen, painted, posed
from moseg.motion.simulate.kinds import Kind, pick
from moseg.motion.simulate.movement import moving_frames
from moseg.motion.simulate.paths import Rng, log_uniform, turned, wander
from moseg.motion.simulate.places import Place
from moseg.motion.simulate.scene import Camera, Role, Scene, Surface

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

PARKED = 0.12
"""Share of bodies that look like the moving ones and do not move."""


@dataclass(frozen=True)
class _Body:
    """A body on its way: its parts and the path of its middle, [T, 3]."""

    parts: tuple[Surface, ...]
    path: Array


def draw_scene(
    seed: int, kinds: Sequence[Kind], frames: int = 16, size: tuple[int, int] = (128, 224)
) -> Scene:
    """Draw a scene; equal arguments give an equal scene, in any process and on any machine.

    Args:
        seed: which scene.
        kinds: what it may be, `kinds.TRAINING` or `kinds.HELD_OUT`.
        frames: number of frames, at least 2.
        size: height and width of the picture in pixels.
    """

    def rng(purpose: str) -> Rng:
        return np.random.default_rng(derive_seed(seed, "simulate", purpose))

    kind = pick(rng("kind"), kinds)
    names = _Names(rng("names"), kind)
    place = places.MAKERS[names.place](rng("place"), frames)
    focal = size[1] * log_uniform(rng("lens"), 0.75, 1.7)
    camera, found = _filmed(rng, names, place, (frames, focal, size))
    effect = [effects.MAKERS[name] for name in names.effects]
    paths = [body.path for body in found]
    made = [maker(rng(f"effect {i}"), frames, place, paths) for i, maker in enumerate(effect)]
    surfaces, moves = _labelled(found, camera, size[1], [*place.surfaces])
    light = 1 + wander(rng("light"), frames, 0.02, 2 * frames)
    return Scene(
        seed=seed,
        made_of=names.all(),
        size=size,
        camera=camera,
        surfaces=(*surfaces, *[surface for each in made for surface in each.surfaces]),
        moves=moves,
        light=np.prod([light, *[each.light for each in made]], axis=0),
        noise=log_uniform(rng("noise"), 0.5, 4.0),
    )


class _Names:
    """The names of everything in a scene."""

    def __init__(self, rng: Rng, kind: Kind) -> None:
        def one(names: Sequence[str]) -> str:
            return names[int(rng.integers(len(names)))]

        self.kind = kind.name
        self.camera, self.place = one(kind.cameras), one(kind.places)
        count = int(rng.integers(kind.objects[0], kind.objects[1] + 1))
        self.bodies = [one(kind.bodies) for _ in range(count)]
        self.motions = [one(kind.motions) for _ in range(count)]
        several = int(rng.integers(1, kind.effect_count + 1)) if kind.effect_count else 0
        self.effects = [str(name) for name in rng.permutation(kind.effects)[:several]]

    def all(self) -> tuple[str, ...]:
        """All of them, for people."""
        pairs = [f"{body} {way}" for body, way in zip(self.bodies, self.motions, strict=True)]
        return (self.kind, self.place, self.camera, *pairs, *self.effects)


def _filmed(
    rng: Callable[[str], Rng],
    names: _Names,
    place: Place,
    shot: tuple[int, float, tuple[int, int]],
) -> tuple[Camera, list[_Body]]:
    """The camera, and the bodies that are in its view at some time."""
    frames, focal, size = shot
    reach = log_uniform(rng("reach"), place.near, place.far)
    setup = cameras.Setup(frames, size[1], focal, reach, np.zeros((frames, 3)))
    rest = cameras.still(rng("still"), setup)
    follows = "follow" in names.camera
    camera = rest if follows else cameras.MAKERS[names.camera](rng("camera"), setup)
    found: list[_Body] = []
    for index, name in enumerate(names.bodies):
        draw = rng(f"body {index}")
        found.append(_body(draw, (name, names.motions[index]), place, camera, size))
        if follows and index == 0:
            setup = replace(setup, target=found[0].path)
            camera = cameras.MAKERS[names.camera](rng("camera"), setup)
    return camera, found


def _body(
    rng: Rng, names: tuple[str, str], place: Place, camera: Camera, size: tuple[int, int]
) -> _Body:
    """A body that passes through the camera's view in some frame, on the ground or above it."""
    frames, (lines, width) = len(camera.focal), size
    when, stands = int(rng.integers(frames)), place.ground is not None and rng.random() < 0.7
    nearest = _nearest_foot(place, camera.focal[when] / lines) if stands else place.near
    depth = log_uniform(rng, nearest, place.far)
    metres = depth / camera.focal[when]
    height = metres * lines * rng.uniform(0.15, 0.75)
    speed = metres * width * log_uniform(rng, 0.0013, 0.03)
    motion = motions.MAKERS[names[1]](rng, frames, speed)
    across, down = rng.uniform(-0.4, 0.4) * width, rng.uniform(-0.35, 0.35) * lines
    seen = np.array([metres * across, metres * down, depth])
    spot = camera.rotation[when] @ seen + camera.position[when]
    way = motion.position - motion.position[when]
    if place.ground is not None:
        foot = place.ground - height / 2
        spot[1] = foot if stands else min(spot[1], foot - 0.1 * height)
    path = spot + way
    path[:, 2] = np.clip(path[:, 2], 0.7 * place.near, 1.1 * place.far)
    if place.ground is not None:
        path[:, 1] = np.minimum(path[:, 1], place.ground - height / 2)
    parts = bodies.MAKERS[names[0]](rng, height, motion.effort)
    turn = turned(motion.turn[:, 0], motion.turn[:, 1], motion.turn[:, 2])
    surfaces = posed(parts, Role.OBJECT, turn, path, painted(rng, height), rng)
    if rng.random() < PARKED:
        surfaces = [frozen(surface) for surface in surfaces]
        path = np.broadcast_to(path[:1], path.shape)
    return _Body(tuple(surfaces), path)


def _nearest_foot(place: Place, zoom: float) -> float:
    """Least depth at which the ground is not far below the picture; `zoom` is focal / height."""
    ground = place.ground or 0.0
    return float(np.clip(ground * zoom / 0.6, place.near, 0.9 * place.far))


def _labelled(
    found: Sequence[_Body], camera: Camera, width: int, surfaces: list[Surface]
) -> tuple[list[Surface], Bool]:
    """All surfaces, bodies that move numbered from 1 and the others as occluders; and `moves`."""
    moves = [np.zeros(len(camera.focal), dtype=np.bool_)]
    for body in found:
        moving = moving_frames(body.parts, camera, width)
        if moving.any():
            number = len(moves)
            moves.append(moving)
            surfaces += [replace(part, object_id=number) for part in body.parts]
        else:
            rest = [replace(frozen(part), role=Role.OCCLUDER) for part in body.parts]
            surfaces += rest
    return surfaces, np.stack(moves)
