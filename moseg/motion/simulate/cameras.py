"""Cameras: how they travel, turn and zoom.

Every maker returns a camera that stands near the world's origin and looks about along z. Speeds
are drawn in shares of the picture's width a frame, so they look alike at any size and zoom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate.paths import Rng, centred, eased, either, log_uniform, turned, wander
from moseg.motion.simulate.scene import Camera

Array = NDArray[np.float64]

FARTHEST_TURN = 0.45
"""Radians that a camera turns to either side, at most: beyond that there is no scenery."""


@dataclass(frozen=True)
class Setup:
    """What a camera is made for.

    Attributes:
        frames: number of frames, T.
        width: of the picture in pixels.
        focal: focal length in pixels at rest.
        reach: metres to what it looks at.
        target: path of what it may follow, [T, 3].
    """

    frames: int
    width: int
    focal: float
    reach: float
    target: Array

    def step(self, rng: Rng, slowest: float = 0.001, fastest: float = 0.022) -> float:
        """Pixels a frame for something that moves over the picture."""
        return log_uniform(rng, slowest, fastest) * self.width

    def metres(self, pixels: float) -> float:
        """Metres at `reach` that look as long as some pixels."""
        return pixels * self.reach / self.focal

    def middle(self) -> int:
        """The frame in which cameras stand where they were set up."""
        return self.frames // 2


Maker = Callable[[Rng, Setup], Camera]


def _camera(setup: Setup, position: Array, turn: Array, zoom: Array) -> Camera:
    """A camera from its path [T, 3], turns about x, y, z [T, 3] and zoom factor [T]."""
    middle = setup.middle()
    turn = np.clip(centred(turn, middle), -FARTHEST_TURN, FARTHEST_TURN)
    rotation = turned(turn[:, 0], turn[:, 1], turn[:, 2])
    return Camera(centred(position, middle), rotation, setup.focal * zoom)


def _nothing(setup: Setup) -> Array:
    return np.zeros((setup.frames, 3))


def _steady(setup: Setup) -> Array:
    return np.ones(setup.frames)


def still(rng: Rng, setup: Setup) -> Camera:  # noqa: ARG001
    """On a tripod."""
    return _camera(setup, _nothing(setup), _nothing(setup), _steady(setup))


def slide(rng: Rng, setup: Setup) -> Camera:
    """Travels across the view, now and then a little up or down."""
    way = np.array([either(rng), rng.normal(0, 0.15), rng.normal(0, 0.2)])
    time = np.arange(setup.frames) + wander(rng, setup.frames, rng.uniform(0, 1), setup.frames)
    position = time[:, None] * way * setup.metres(setup.step(rng))
    return _camera(setup, position, _nothing(setup), _steady(setup))


def drive(rng: Rng, setup: Setup) -> Camera:
    """Travels ahead or back."""
    way = np.array([rng.normal(0, 0.1), rng.normal(0, 0.02), either(rng)])
    speed = min(2 * setup.metres(setup.step(rng)), 0.3 * setup.reach / setup.frames)
    position = np.arange(setup.frames)[:, None] * way * speed
    turn = _nothing(setup)
    turn[:, 1] = wander(rng, setup.frames, 0.03, setup.frames)
    return _camera(setup, position, turn, _steady(setup))


def pan(rng: Rng, setup: Setup) -> Camera:
    """Turns."""
    turn = _nothing(setup)
    speed = setup.step(rng) / setup.focal
    turn[:, 1] = np.arange(setup.frames) * speed * either(rng)
    turn[:, 0] = np.arange(setup.frames) * speed * rng.normal(0, 0.3)
    return _camera(setup, _nothing(setup), turn, _steady(setup))


def zoom(rng: Rng, setup: Setup) -> Camera:
    """Zooms in or out."""
    most = rng.uniform(0.05, 0.5)
    factor = np.exp(either(rng) * most * np.linspace(-0.5, 0.5, setup.frames))
    return _camera(setup, _nothing(setup), _nothing(setup), factor)


def hand(rng: Rng, setup: Setup) -> Camera:
    """Held in a hand: small fast turns, some sway."""
    size = setup.step(rng, 0.002, 0.02) / setup.focal
    turn = np.stack(
        [
            wander(rng, setup.frames, size * scale, calm)
            for scale, calm in ((1, 7), (1, 8), (0.4, 9))
        ],
        axis=1,
    )
    sway = setup.metres(setup.step(rng, 0.001, 0.02))
    position = np.stack([wander(rng, setup.frames, sway, 14) for _ in range(3)], axis=1)
    return _camera(setup, position, turn, _steady(setup))


def orbit(rng: Rng, setup: Setup) -> Camera:
    """Travels on a circle around what it looks at."""
    most = min(0.35, setup.frames * setup.step(rng) / setup.focal)
    angle = either(rng) * most * np.linspace(-0.5, 0.5, setup.frames)
    position = setup.reach * np.stack([-np.sin(angle), 0 * angle, 1 - np.cos(angle)], axis=1)
    turn = np.stack([0 * angle, angle, 0 * angle], axis=1)
    return _camera(setup, position, turn, _steady(setup))


def follow(rng: Rng, setup: Setup) -> Camera:
    """Keeps a moving thing in view by turning, travelling along, or both; never exactly."""
    travelled = rng.uniform(0, 1) if rng.random() < 0.6 else 0.0
    path = centred(setup.target, setup.middle())
    position = travelled * path * np.array([1, 0.3, 0.8])
    toward = setup.target - position
    turn = _nothing(setup)
    kept = rng.uniform(0.6, 1.1)
    turn[:, 0] = -kept * np.arctan2(toward[:, 1], toward[:, 2])
    turn[:, 1] = kept * np.arctan2(toward[:, 0], toward[:, 2])
    turn[:, :2] += np.stack([wander(rng, setup.frames, 0.01, 12) for _ in range(2)], axis=1)
    return _camera(setup, position, turn, _steady(setup))


def mixed(*makers: Maker) -> Maker:
    """A camera that does several things at once."""

    def make(rng: Rng, setup: Setup) -> Camera:
        parts = [maker(rng, setup) for maker in makers]
        rotation = parts[0].rotation
        for part in parts[1:]:
            rotation = rotation @ part.rotation
        position = np.sum([part.position for part in parts], axis=0)
        factor = np.prod([part.focal / setup.focal for part in parts], axis=0)
        return Camera(position, rotation, setup.focal * factor)

    return make


def crane(rng: Rng, setup: Setup) -> Camera:
    """Rises or sinks while it tilts to keep looking at the same place."""
    most = min(0.3 * setup.reach, 0.8, setup.frames * setup.metres(setup.step(rng)))
    height = either(rng) * most * eased(setup.frames, 0, setup.frames - 1)
    height = centred(height, setup.middle())
    position = np.stack([0 * height, height, 0 * height], axis=1)
    turn = np.stack([np.arctan2(height, setup.reach), 0 * height, 0 * height], axis=1)
    return _camera(setup, position, rng.uniform(0.5, 1) * turn, _steady(setup))


def dolly_zoom(rng: Rng, setup: Setup) -> Camera:
    """Travels ahead and zooms out, or back and in: what it looks at keeps its size."""
    most = either(rng) * rng.uniform(0.06, 0.25) * setup.reach
    ahead = centred(most * eased(setup.frames, 0, setup.frames - 1), setup.middle())
    position = np.stack([0 * ahead, 0 * ahead, ahead], axis=1)
    return _camera(setup, position, _nothing(setup), (setup.reach - ahead) / setup.reach)


def walk(rng: Rng, setup: Setup) -> Camera:
    """Carried by somebody who walks: ahead or aside, up and down with every step."""
    time, pace = np.arange(setup.frames), rng.uniform(8, 14)
    heading = rng.uniform(-np.pi, np.pi)
    speed = min(setup.metres(setup.step(rng, 0.002, 0.012)), 0.3 * setup.reach / setup.frames)
    phase = rng.uniform(0, 2 * np.pi)
    bob = setup.metres(setup.step(rng, 0.002, 0.015))
    position = np.stack(
        [
            np.sin(heading) * speed * time + 0.5 * bob * np.sin(np.pi * time / pace + phase),
            bob * np.abs(np.sin(np.pi * time / pace + phase)),
            np.cos(heading) * speed * time,
        ],
        axis=1,
    )
    roll = 0.3 * bob / setup.reach * np.cos(np.pi * time / pace + phase)
    return _camera(setup, position, np.stack([roll, 0 * roll, 2 * roll], axis=1), _steady(setup))


def whip(rng: Rng, setup: Setup) -> Camera:
    """Turns from one place to another in a few frames, and rests before and after."""
    length = rng.uniform(3, 8)
    start = rng.uniform(0, max(setup.frames - length, 1))
    most = min(1.5 * FARTHEST_TURN, length * setup.step(rng, 0.008, 0.04) / setup.focal)
    turn = _nothing(setup)
    turn[:, 1] = either(rng) * most * eased(setup.frames, start, start + length)
    turn[:, 0] = rng.normal(0, 0.2) * turn[:, 1]
    return _camera(setup, _nothing(setup), turn, _steady(setup))


def loop(rng: Rng, setup: Setup) -> Camera:
    """Travels on a flat eight in the picture's plane, rolling a little."""
    angle = 2 * np.pi * np.arange(setup.frames) / rng.uniform(14, 40) + rng.uniform(0, 6)
    size = setup.metres(setup.step(rng, 0.004, 0.06))
    position = size * np.stack([np.sin(angle), 0.5 * np.sin(2 * angle), 0 * angle], axis=1)
    turn = _nothing(setup)
    turn[:, 2] = rng.uniform(0, 0.06) * np.cos(angle)
    return _camera(setup, position, turn, _steady(setup))


MAKERS: dict[str, Maker] = {
    "still": still,
    "slide": slide,
    "drive": drive,
    "pan": pan,
    "zoom": zoom,
    "hand": hand,
    "orbit": orbit,
    "follow": follow,
    "slide in a hand": mixed(slide, hand),
    "pan and slide": mixed(pan, slide),
    "drive in a hand": mixed(drive, hand),
    "zoom and pan": mixed(zoom, pan),
    "follow in a hand": mixed(follow, hand),
    "crane": crane,
    "dolly zoom": dolly_zoom,
    "walk": walk,
    "whip": whip,
    "loop": loop,
    "crane and whip": mixed(crane, whip),
    "walk in loops": mixed(walk, loop),
}
"""What each camera is called."""
