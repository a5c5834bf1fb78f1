"""Bodies: what objects and standing things are made of.

A body is a list of parts on common axes: x to the right, y down, z away from who looks at it,
the origin in its middle. Parts turn about joints while the body exerts itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate import outlines
from moseg.motion.simulate.paths import Rng, either, turned
from moseg.motion.simulate.scene import Outline, Waves, no_waves

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One patch of a body.

    Attributes:
        outline: where it ends.
        rotation: its axes on the body's, [T, 3, 3].
        position: its origin on the body's axes, [T, 3].
        waves: its own deformation.
        bend: curvatures.
        gain: how light it is.
    """

    outline: Outline
    rotation: Array
    position: Array
    waves: Waves
    bend: Array
    gain: float = 1.0


Maker = Callable[[Rng, float, Array], list[Part]]
"""Makes a body from its height in metres and its effort [T]."""


def _part(
    outline: Outline,
    effort: Array,
    position: tuple[float, float, float] | Array = (0.0, 0.0, 0.0),
    rotation: Array | None = None,
    gain: float = 1.0,
) -> Part:
    frames = len(effort)
    turn = np.eye(3) if rotation is None else rotation
    return Part(
        outline,
        np.broadcast_to(turn, (frames, 3, 3)),
        np.broadcast_to(np.asarray(position, np.float64), (frames, 3)),
        no_waves(frames),
        np.zeros(2),
        gain,
    )


def _rippled(rng: Rng, part: Part, height: float, effort: Array, most: float) -> Part:
    """The part with waves that run over it while it exerts itself."""
    lengths = height * rng.uniform(0.7, 1.6, 2)
    angles = rng.uniform(0, 2 * np.pi, 2)
    vector = 2 * np.pi / lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    amplitude = most * lengths[:, None] / (2 * np.pi) * rng.uniform(-1, 1, (2, 3))
    speed = 2 * np.pi / rng.uniform(8, 20, 2)
    phase = effort[:, None] * speed + rng.uniform(0, 2 * np.pi, 2)
    return Part(
        part.outline,
        part.rotation,
        part.position,
        Waves(vector, amplitude, phase),
        part.bend,
        part.gain,
    )


def blob(rng: Rng, height: float, effort: Array) -> list[Part]:
    """A lump, often one that changes its shape."""
    outline = outlines.blob(rng, height * rng.uniform(0.6, 1.8), height)
    part = _part(outline, effort)
    bent = Part(
        part.outline, part.rotation, part.position, part.waves, _curvature(rng, height), part.gain
    )
    return [_rippled(rng, bent, height, effort, 0.12) if rng.random() < 0.5 else bent]


def _curvature(rng: Rng, size: float) -> Array:
    return rng.uniform(-0.15, 0.25, 2) / size


def shard(rng: Rng, height: float, effort: Array) -> list[Part]:
    """A plate with corners, turned a little out of the view."""
    outline = outlines.shard(rng, height * rng.uniform(0.7, 2.2), height)
    turn = turned(rng.normal(0, 0.2), rng.normal(0, 0.4), 0.0)
    return [_part(outline, effort, rotation=turn)]


def ball(rng: Rng, height: float, effort: Array) -> list[Part]:
    """A disc that rolls."""
    angle = either(rng) * effort * rng.uniform(0.02, 0.12)
    return [_part(outlines.ellipse(height, height), effort, rotation=turned(z=angle))]


def box(rng: Rng, height: float, effort: Array) -> list[Part]:
    """A box that shows two or three of its faces."""
    width, depth = height * rng.uniform(0.5, 2.2), height * rng.uniform(0.4, 1.5)
    view = turned(0.0, rng.uniform(-0.8, 0.8), 0.0)
    light = rng.uniform(0.6, 1.0, 4)
    faces = [
        (outlines.rectangle(width, height), (0, 0, -depth / 2), np.eye(3), light[0]),
        (outlines.rectangle(depth, height), (width / 2, 0, 0), turned(y=np.pi / 2), light[1]),
        (outlines.rectangle(depth, height), (-width / 2, 0, 0), turned(y=np.pi / 2), light[2]),
        (outlines.rectangle(width, depth), (0, -height / 2, 0), turned(np.pi / 2), 1.0),
        (outlines.rectangle(width, height), (0, 0, depth / 2), np.eye(3), light[3]),
    ]
    return [
        _part(outline, effort, view @ np.array(place, np.float64), view @ turn, float(gain))
        for outline, place, turn, gain in faces
    ]


def sheet(rng: Rng, height: float, effort: Array) -> list[Part]:
    """A cloth or flag with waves in it."""
    outline = outlines.rectangle(height * rng.uniform(0.8, 1.8), height)
    return [_rippled(rng, _part(outline, effort), height, effort, 0.2)]


def _hung(
    effort: Array, joint: Array, length: float, width: float, angle: Array, near: float, gain: float
) -> tuple[Part, Array]:
    """A limb that hangs from a joint [T, 3] at an angle [T] from straight down; and its end."""
    way = np.stack([np.sin(angle), np.cos(angle), 0 * angle], axis=1)
    middle = joint + 0.5 * length * way + np.array([0, 0, near])
    outline = outlines.limb(width, length * 1.15)
    return _part(outline, effort, middle, turned(z=-angle), gain), joint + length * way


def _leg(
    rng: Rng, effort: Array, joint: Array, length: float, phase: float, near: float, pace: float
) -> list[Part]:
    """A limb in two pieces that steps."""
    swing = rng.uniform(0.3, 0.6) * np.sin(pace * effort + phase)
    bent = 0.4 * (1 + np.sin(pace * effort + phase + 1.2))
    gain = rng.uniform(0.7, 1.0)
    width = length * rng.uniform(0.18, 0.32)
    upper, knee = _hung(effort, joint, length / 2, width, swing, near, gain)
    lower, _ = _hung(effort, knee, length / 2, 0.8 * width, swing - bent, 1.5 * near, gain)
    return [upper, lower]


def _still_at(effort: Array, x: float, y: float) -> Array:
    return np.broadcast_to(np.array([x, y, 0.0]), (len(effort), 3))


def walker(rng: Rng, height: float, effort: Array) -> list[Part]:
    """Something on two legs, with arms."""
    pace, phase = 2 * np.pi / rng.uniform(9, 18), rng.uniform(0, 2 * np.pi)
    wide = rng.uniform(0.2, 0.34) * height
    trunk = _part(outlines.limb(wide, 0.42 * height), effort, (0, -0.12 * height, 0))
    head = _part(
        outlines.ellipse(0.15 * height, 0.19 * height), effort, (0, -0.41 * height, -0.01 * height)
    )
    near, leg, arm = 0.02 * height, 0.42 * height, 0.36 * height
    hip, shoulder = _still_at(effort, 0, 0.07 * height), _still_at(effort, 0, -0.29 * height)
    limbs = _leg(rng, effort, hip, leg, phase, -near, pace)
    limbs += _leg(rng, effort, hip, leg, phase + np.pi, near, pace)
    for side in (-1, 1):
        swing = rng.uniform(0.2, 0.9) * np.sin(pace * effort + phase + np.pi * (side > 0))
        part, _ = _hung(effort, shoulder, arm, 0.09 * height, swing, 2 * side * near, 0.85)
        limbs.append(part)
    return [trunk, head, *limbs]


def beast(rng: Rng, height: float, effort: Array) -> list[Part]:
    """Something on four legs."""
    pace, facing = 2 * np.pi / rng.uniform(7, 16), either(rng)
    long = height * rng.uniform(0.9, 1.6)
    trunk = _part(outlines.limb(long, 0.45 * height), effort, (0, -0.15 * height, 0))
    nod = _still_at(effort, facing * 0.5 * long, -0.3 * height).copy()
    nod[:, 1:] += height * np.stack([0.03 * np.sin(pace * effort), 0 * effort - 0.03], axis=1)
    head = _part(outlines.blob(rng, 0.35 * height, 0.3 * height, 0.15), effort, nod)
    limbs: list[Part] = []
    for index, x in enumerate((-0.38, -0.3, 0.3, 0.38)):
        hip = _still_at(effort, x * long, 0.02 * height)
        near = 0.02 * height * (-1 if index % 2 else 1)
        limbs += _leg(rng, effort, hip, 0.48 * height, 1.7 * index, near, pace)
    return [trunk, head, *limbs]


def star(rng: Rng, height: float, effort: Array) -> list[Part]:
    """A star with five to nine rays."""
    points = int(rng.integers(5, 10))
    outline = outlines.star(points, height * rng.uniform(0.8, 1.4), height, rng.uniform(0.3, 0.6))
    return [_part(outline, effort, rotation=turned(0.0, rng.normal(0, 0.3), rng.uniform(0, 6)))]


def roof(rng: Rng, height: float, effort: Array) -> list[Part]:
    """Two sloping faces that meet in a ridge, and the gables that close them."""
    width, slope = height * rng.uniform(0.8, 2.0), rng.uniform(0.4, 0.8)
    view, side = turned(0.0, rng.uniform(-0.5, 0.5), 0.0), height / np.cos(slope)
    deep = height * np.tan(slope)
    gable = outlines.triangle(2 * deep, height)
    faces = [
        (outlines.rectangle(width, side), (0, 0, -deep / 2), turned(slope), 1.0),
        (outlines.rectangle(width, side), (0, 0, deep / 2), turned(-slope), 0.6),
        (gable, (width / 2, 0, 0), turned(y=np.pi / 2), 0.8),
        (gable, (-width / 2, 0, 0), turned(y=np.pi / 2), 0.75),
    ]
    return [
        _part(outline, effort, view @ np.array(place, np.float64), view @ turn, gain)
        for outline, place, turn, gain in faces
    ]


def worm(rng: Rng, height: float, effort: Array) -> list[Part]:
    """A chain of discs that winds."""
    count, pace = int(rng.integers(5, 8)), 2 * np.pi / rng.uniform(10, 22)
    disc = 0.5 * height
    parts = []
    for index in range(count):
        up = 0.25 * height * np.sin(pace * effort - 0.9 * index)
        x = np.full(len(effort), (index - (count - 1) / 2) * 0.75 * disc)
        place = np.stack(
            [x, 0.25 * height + up, np.full(len(effort), 0.03 * height * index)], axis=1
        )
        outline = outlines.ellipse(disc * rng.uniform(0.9, 1.2), disc)
        parts.append(_part(outline, effort, place, gain=float(rng.uniform(0.7, 1))))
    return parts


def rotor(rng: Rng, height: float, effort: Array) -> list[Part]:
    """Blades that turn about a hub on a pole."""
    count, angle = int(rng.integers(3, 6)), effort * either(rng) * rng.uniform(0.03, 0.15)
    hub = _still_at(effort, 0, -0.15 * height)
    parts = [
        _part(outlines.rectangle(0.08 * height, 0.65 * height), effort, (0, 0.17 * height, 0.03))
    ]
    for blade in range(count):
        turn = angle + 2 * np.pi * blade / count
        gain = float(rng.uniform(0.75, 1))
        parts.append(
            _hung(effort, hub, 0.36 * height, 0.12 * height, turn, -0.01 * blade * height, gain)[0]
        )
    return parts


def cog(rng: Rng, height: float, effort: Array) -> list[Part]:
    """A wheel with teeth that turns."""
    angle = either(rng) * effort * rng.uniform(0.02, 0.1)
    outline = outlines.cog(int(rng.integers(5, 9)), height, rng.uniform(0.15, 0.35))
    return [_part(outline, effort, rotation=turned(z=angle))]


MAKERS: dict[str, Maker] = {
    "blob": blob,
    "shard": shard,
    "ball": ball,
    "box": box,
    "sheet": sheet,
    "walker": walker,
    "beast": beast,
    "star": star,
    "roof": roof,
    "worm": worm,
    "rotor": rotor,
    "cog": cog,
}
"""What each body is called."""
