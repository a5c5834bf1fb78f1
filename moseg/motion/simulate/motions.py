"""How bodies travel and turn.

A motion is given by how far a body can go in a frame; it says nothing of where the body is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate.paths import Rng, eased, either, wander

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """A body's own way.

    Attributes:
        position: metres along world x, y and z, [T, 3].
        turn: radians about world x, y and z, [T, 3].
        effort: what limbs and waves of the body have done so far, in frames, [T]; a body whose
            effort stands still does not move its limbs.
    """

    position: Array
    turn: Array
    effort: Array


Maker = Callable[[Rng, int, float], Motion]


def _heading(rng: Rng) -> Array:
    """A direction over the ground, across the view more often than along it."""
    angle = rng.normal(0, 0.5) if rng.random() < 0.8 else rng.uniform(-np.pi, np.pi)
    return np.array([either(rng) * np.cos(angle), 0, np.sin(angle)])


def _along(rng: Rng, frames: int, travelled: Array) -> Motion:
    """A motion straight ahead; limbs work while the body travels."""
    position = travelled[:, None] * _heading(rng)
    pace = np.abs(np.gradient(travelled))
    return Motion(position, np.zeros((frames, 3)), np.cumsum(pace / max(pace.max(), 1e-9)))


def steady(rng: Rng, frames: int, speed: float) -> Motion:
    """Goes on."""
    return _along(rng, frames, speed * (np.arange(frames) + wander(rng, frames, 0.5, frames)))


def curve(rng: Rng, frames: int, speed: float) -> Motion:
    """Goes on a bend, and turns with it."""
    angle = either(rng) * np.linspace(0, rng.uniform(0.3, 1.2), frames)
    start = rng.uniform(-np.pi, np.pi)
    way = np.stack([np.cos(start + angle), 0 * angle, 0.5 * np.sin(start + angle)], axis=1)
    turn = np.stack([0 * angle, -angle, 0 * angle], axis=1)
    return Motion(speed * np.cumsum(way, axis=0), turn, np.arange(frames, dtype=float))


def stop(rng: Rng, frames: int, speed: float) -> Motion:
    """Goes, and rests from some frame on."""
    end = rng.uniform(0.25, 0.8) * frames
    return _along(rng, frames, speed * np.minimum(np.arange(frames), end))


def start(rng: Rng, frames: int, speed: float) -> Motion:
    """Rests, and goes from some frame on."""
    begin = rng.uniform(0.2, 0.75) * frames
    return _along(rng, frames, speed * np.maximum(np.arange(frames) - begin, 0))


def pause(rng: Rng, frames: int, speed: float) -> Motion:
    """Goes, rests a while, and goes on."""
    begin = rng.uniform(0.15, 0.5) * frames
    end = begin + rng.uniform(0.15, 0.4) * frames
    time = np.arange(frames)
    return _along(rng, frames, speed * (np.minimum(time, begin) + np.maximum(time - end, 0)))


def sway(rng: Rng, frames: int, speed: float) -> Motion:
    """Stays about where it is, and moves there."""
    position = np.stack(
        [wander(rng, frames, speed * 3 * scale, 12) for scale in (1, 0.3, 0.4)], axis=1
    )
    turn = np.stack([wander(rng, frames, 0.1, 14) for _ in range(3)], axis=1)
    return Motion(position, turn, np.arange(frames, dtype=float))


def spin(rng: Rng, frames: int, speed: float) -> Motion:  # noqa: ARG001
    """Turns on the spot."""
    turn = np.zeros((frames, 3))
    axis = 2 if rng.random() < 0.5 else 1
    turn[:, axis] = either(rng) * np.arange(frames) * rng.uniform(0.01, 0.07)
    return Motion(np.zeros((frames, 3)), turn, np.arange(frames, dtype=float))


def gesture(rng: Rng, frames: int, speed: float) -> Motion:  # noqa: ARG001
    """Stands, and moves limbs alone; a body without limbs rests."""
    begin = rng.uniform(0, 0.4) * frames
    effort = np.maximum(np.arange(frames) - begin, 0)
    return Motion(np.zeros((frames, 3)), np.zeros((frames, 3)), effort)


def zigzag(rng: Rng, frames: int, speed: float) -> Motion:
    """Goes, and turns about sharply every few frames."""
    half = rng.uniform(4, 9)
    phase = (np.arange(frames) / half + rng.uniform(0, 2)) % 2
    return _along(rng, frames, speed * half * np.minimum(phase, 2 - phase))


def circle(rng: Rng, frames: int, speed: float) -> Motion:
    """Goes around in a circle that is flat in the view."""
    angle = either(rng) * 2 * np.pi * np.arange(frames) / rng.uniform(14, 40) + rng.uniform(0, 6)
    size = speed / max(abs(float(angle[1] - angle[0])), 1e-6)
    position = size * np.stack([np.cos(angle), 0.4 * np.sin(angle), 0.5 * np.sin(angle)], axis=1)
    return Motion(position, np.zeros((frames, 3)), np.arange(frames, dtype=float))


def dash(rng: Rng, frames: int, speed: float) -> Motion:
    """Rests, shoots off, and rests again."""
    length = rng.uniform(3, 6)
    begin = rng.uniform(0.1, 0.6) * frames
    return _along(rng, frames, 1.5 * speed * length * eased(frames, begin, begin + length))


def swing(rng: Rng, frames: int, speed: float) -> Motion:  # noqa: ARG001
    """Swings like something that hangs."""
    angle = rng.uniform(0.15, 0.5) * np.sin(
        2 * np.pi * np.arange(frames) / rng.uniform(12, 30) + rng.uniform(0, 6)
    )
    turn = np.stack([0 * angle, 0 * angle, angle], axis=1)
    position = np.stack([-np.sin(angle), np.cos(angle) - 1, 0 * angle], axis=1)
    return Motion(position, turn, np.arange(frames, dtype=float))


def hop(rng: Rng, frames: int, speed: float) -> Motion:
    """Goes in hops."""
    went = _along(rng, frames, speed * np.arange(frames, dtype=np.float64))
    phase = (np.arange(frames) / rng.uniform(6, 12) + rng.uniform(0, 1)) % 1
    height = 8 * speed * phase * (1 - phase)
    position = went.position - height[:, None] * np.array([0, 1, 0])
    return Motion(position, went.turn, went.effort)


MAKERS: dict[str, Maker] = {
    "steady": steady,
    "curve": curve,
    "stop": stop,
    "start": start,
    "pause": pause,
    "sway": sway,
    "spin": spin,
    "gesture": gesture,
    "zigzag": zigzag,
    "circle": circle,
    "dash": dash,
    "swing": swing,
    "hop": hop,
}
"""What each motion is called."""
