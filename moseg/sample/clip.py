"""Made-up clips with exact truth: moving objects, or nothing that moves by itself.

Each clip is an iterator of (frame, ids): frame uint8 [H, W, 3] RGB; ids uint8 [H, W], 0 for
the background and 1, 2, 3 for the van, the jogger and the stork. Frames are made one by one,
so memory does not grow with the length; equal arguments give equal clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import ConfigError
from moseg.sample.actors import Actor
from moseg.sample.exposure import Exposure
from moseg.sample.landscape import Landscape, stream
from moseg.sample.runner import Runner
from moseg.sample.stork import Stork
from moseg.sample.textures import grain, picture, pink_noise, ramp
from moseg.sample.van import Van
from moseg.sample.view import CameraPath, Pose, View, translation

Frame = NDArray[np.uint8]
Ids = NDArray[np.uint8]
Clip = Iterator[tuple[Frame, Ids]]
Kind = Literal["objects", "static", "pan"]

SMALLEST = 16
"""Least height and width in pixels."""

OBJECT_NAMES = {1: "van", 2: "jogger", 3: "stork"}

_SHUTTER = (-0.16, 0.0, 0.16)
"""Moments of one exposure, in frames around its middle: a short motion blur."""

_NOISE = 2.0
"""Deviation of the sensor noise in grey levels."""


def render_sample(frames: int = 60, height: int = 480, width: int = 854, seed: int = 0) -> Clip:
    """A van, a jogger and a stork in a landscape, from a walking, panning hand-held camera.

    The landscape has far and near things, so that no single homography explains its motion.
    The van and the jogger pass behind a birch. The stork comes in after a third of the clip,
    after 20 frames at the latest. Shadows, noise and blur are not part of the truth; `ids` is
    the truth of the middle of the exposure.

    Args:
        frames: number of frames, at 24 a second; the camera turns round after about 70.
        height, width: size in pixels, at least `SMALLEST`.
        seed: not negative; changes textures, colours and the unrest of the hand.

    Raises:
        ConfigError: an argument is out of range.
    """
    view = _checked_view(frames, height, width, seed)
    return _landscape_with_objects(view, frames, seed)


def static_clip(frames: int = 60, height: int = 480, width: int = 854, seed: int = 0) -> Clip:
    """The landscape of `render_sample` from a camera at rest: only noise changes; no object.

    Arguments and errors as `render_sample`.
    """
    view = _checked_view(frames, height, width, seed)
    return _landscape_at_rest(view, frames, seed)


def panning_plane_clip(
    frames: int = 60, height: int = 480, width: int = 854, seed: int = 0
) -> Clip:
    """A still, textured wall from a camera that pans, tilts and rolls; no object.

    One homography explains all motion. Arguments and errors as `render_sample`.
    """
    view = _checked_view(frames, height, width, seed)
    return _wall(view, frames, seed)


RENDERERS: dict[Kind, Callable[[int, int, int, int], Clip]] = {
    "objects": render_sample,
    "static": static_clip,
    "pan": panning_plane_clip,
}
"""Kind of clip to the function that makes it (frames, height, width, seed)."""


def _landscape_with_objects(view: View, frames: int, seed: int) -> Clip:
    camera = CameraPath(view, stream(seed, 0))
    landscape = Landscape(view, seed)
    actors: list[Actor] = [
        Van(view, stream(seed, 1), start=_world_x(view, camera, Van.depth, 0.34)),
        Runner(view, stream(seed, 2), start=_world_x(view, camera, Runner.depth, 0.12)),
        Stork(view, stream(seed, 3), camera, entry=min(20, frames // 3)),
    ]
    for index in range(frames):
        moments = (
            landscape.expose(camera.at(index + offset), actors, index + offset)
            for offset in _SHUTTER
        )
        yield _developed(moments, seed, index)


def _landscape_at_rest(view: View, frames: int, seed: int) -> Clip:
    still = Landscape(view, seed).expose(CameraPath(view, stream(seed, 0)).at(30), [], 0)
    for index in range(frames):
        yield _developed(iter([still]), seed, index)


def _wall(view: View, frames: int, seed: int) -> Clip:
    camera = CameraPath(view, stream(seed, 0))
    margin = round(240 * view.unit) + 2
    rng = stream(seed, 1)
    height, width = view.height + 2 * margin, view.width + 2 * margin
    stone = pink_noise(rng, height, width, slope=1.1, largest=160 * view.unit)
    tints = ((70, 78, 92), (134, 110, 92), (176, 160, 132), (120, 132, 112), (214, 202, 180))
    painted = picture(ramp(stone, (-2, -0.8, 0, 0.8, 2), tints), np.ones_like(stone))
    painted = grain(painted, pink_noise(rng, height, width, slope=0.6), 0.15)
    for index in range(frames):
        moments = (
            _wall_from(view, painted, margin, camera.at(index + offset)) for offset in _SHUTTER
        )
        yield _developed(moments, seed, index)


def _wall_from(view: View, painted: NDArray[np.uint8], margin: int, pose: Pose) -> Exposure:
    turned = Pose(shift_x=3 * pose.shift_x, shift_y=4 * pose.shift_y, roll=3 * pose.roll)
    exposure = Exposure(view)
    x, y = view.ahead
    lens = turned.upright(view, depth=10.0)
    exposure.lay(painted, lens @ translation(-x - margin, -y - margin))
    return exposure


def _developed(moments: Iterator[Exposure], seed: int, index: int) -> tuple[Frame, Ids]:
    """Mean of the moments of one exposure, with noise; ids of the middle one."""
    exposures = list(moments)
    light = np.mean([exposure.rgb for exposure in exposures], axis=0, dtype=np.float32)
    noise = np.random.default_rng([seed, 99, index]).standard_normal(light.shape, np.float32)
    light += _NOISE * noise
    return np.clip(light, 0, 255).round().astype(np.uint8), exposures[len(exposures) // 2].ids()


def _world_x(view: View, camera: CameraPath, depth: float, share: float) -> float:
    """World x, in metres, of what is seen at a share of the width in the first frame."""
    pose = camera.at(0)
    return pose.x + ((share - 0.5) * view.width - pose.shift_x) / view.scale(depth)


def _checked_view(frames: int, height: int, width: int, seed: int) -> View:
    if frames < 1:
        raise ConfigError(f"frames: {frames} is too few; a sample clip needs at least 1")
    if min(height, width) < SMALLEST:
        raise ConfigError(
            f"size: {width}x{height} is too small; a sample clip needs at least "
            f"{SMALLEST}x{SMALLEST}"
        )
    if seed < 0:
        raise ConfigError(f"seed: {seed} is negative; use 0 or more")
    return View(height, width)
