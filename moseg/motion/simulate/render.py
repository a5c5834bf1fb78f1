"""Pictures of a scene: colours, object ids and disparity, from the same geometry as the tracks.

Solid surfaces are painted from far to near, each where it is nearer than what is there; edges
are blended over about a pixel. Veils come last. Textures fade to their mean where a texel is
smaller than a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.seeds import derive_seed
from moseg.motion.simulate.geometry import NEAREST, meet, place
from moseg.motion.simulate.scene import Scene, Surface
from moseg.motion.simulate.textures import SIDE, texture
from moseg.motion.simulate.views import View, view_of

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last."""

_ROOM = 48
"""Pixels by which the field of noise is larger than a frame."""
_COARSE = 4
"""Pixels between those where the size of texels is looked up."""
_SOFT_EDGE = 0.35
"""Share of a veil's radius over which it fades out."""


@dataclass(frozen=True)
class Rendered:
    """A rendered scene.

    Attributes:
        frames: RGB uint8 [T, H, W, 3].
        ids: uint8 [T, H, W], ids of moving objects, 0 for everything else.
        surfaces: int16 [T, H, W], number of the solid surface in front.
        disparity: float32 [T, H, W], 1 / depth in 1 / metres.
    """

    frames: UInt8
    ids: UInt8
    surfaces: NDArray[np.int16]
    disparity: Float32


@dataclass(frozen=True)
class _Canvas:
    """What has been painted of one frame so far; [H, W] or [H, W, 3], changed in place.

    `sight` holds the lines of sight of its pixels and stays as it is.
    """

    sight: tuple[Float32, Float32]
    colour: Float32
    depth: Float32
    surface: NDArray[np.int16]


@dataclass(frozen=True)
class _Look:
    """A texture, and the same with its details and with all of it smoothed away."""

    fine: Float32
    coarse: Float32
    mean: Float32


def render(scene: Scene) -> Rendered:
    """Take the pictures of a scene; equal scenes give equal pictures."""
    view = view_of([scene])
    looks = [_look(surface) for surface in scene.surfaces]
    boxes = [_boxes(view, index, surface) for index, surface in enumerate(scene.surfaces)]
    noise = _Noise(scene)
    owner = np.array([surface.object_id for surface in scene.surfaces], dtype=np.uint8)
    made = []
    for frame in range(len(scene)):
        now = view.frames(frame, frame + 1)
        canvas = _paint(scene, now, looks, [box[frame] for box in boxes])
        light = np.float32(scene.light[frame])
        colour = np.clip(canvas.colour * light + noise.next() + np.float32(0.5), 0, 255)
        made.append(
            (colour.astype(np.uint8), owner[canvas.surface], canvas.surface, 1 / canvas.depth)
        )
    frames, ids, surfaces, disparity = zip(*made, strict=True)
    return Rendered(
        frames=np.stack(frames),
        ids=np.stack(ids),
        surfaces=np.stack(surfaces),
        disparity=np.stack(disparity),
    )


class _Noise:
    """Noise of the pixels: one field a scene, read at another place for each frame."""

    def __init__(self, scene: Scene) -> None:
        self._rng = np.random.default_rng(derive_seed(scene.seed, "pixels"))
        self._size = scene.size
        shape = (scene.size[0] + _ROOM, scene.size[1] + _ROOM, 3)
        self._field = self._rng.standard_normal(shape, dtype=np.float32) * np.float32(scene.noise)

    def next(self) -> Float32:
        """The noise of the next frame, [H, W, 3]."""
        top, left = self._rng.integers(0, _ROOM, 2)
        return self._field[top : top + self._size[0], left : left + self._size[1]]


def _look(surface: Surface) -> _Look:
    fine = texture(surface.paint)
    small = cv2.resize(fine, (SIDE // 4, SIDE // 4), interpolation=cv2.INTER_AREA)
    return _Look(fine, np.asarray(small, np.float32), fine.mean(axis=(0, 1)))


def _boxes(view: View, index: int, surface: Surface) -> list[Box]:
    """Where a surface may be seen in each frame."""
    height, width = view.size
    whole = (0, height, 0, width)
    frames = view.focal.shape[1]
    if not surface.bounded:
        return [whole] * frames
    rim = (1.15 * surface.outline.rim()[::2]).astype(np.float32)
    ones = np.ones((1, frames, 1), np.float32)
    u, v, depth = place(view.surface(index), rim[:, 0] * ones, rim[:, 1] * ones)
    xy, boxes = view.pixels(u, v)[0], []
    for points, ahead in zip(xy, depth[0] > NEAREST, strict=True):
        if not ahead.any():
            boxes.append((0, 0, 0, 0))
        elif not ahead.all():
            boxes.append(whole)
        else:
            left, top = np.floor(points.min(axis=0)).astype(int) - 2
            right, bottom = np.ceil(points.max(axis=0)).astype(int) + 3
            rows = np.clip([top, bottom], 0, height)
            columns = np.clip([left, right], 0, width)
            boxes.append((int(rows[0]), int(rows[1]), int(columns[0]), int(columns[1])))
    return boxes


def _paint(scene: Scene, view: View, looks: list[_Look], boxes: list[Box]) -> _Canvas:
    """One frame, without light and noise."""
    height, width = scene.size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = view.sight(np.stack([x, y], axis=-1)[None])
    canvas = _Canvas(
        sight=(u[0], v[0]),
        colour=np.full((height, width, 3), 128, np.float32),
        depth=np.full((height, width), np.inf, np.float32),
        surface=np.zeros((height, width), np.int16),
    )
    for index in _far_to_near(scene, view):
        if boxes[index][1] - boxes[index][0] > 1 and boxes[index][3] - boxes[index][2] > 1:
            _paint_surface(canvas, scene, view, (index, looks[index], boxes[index]))
    return canvas


def _far_to_near(scene: Scene, view: View) -> list[int]:
    """Endless surfaces, then solid ones and veils, each from far to near."""
    depth = -view.placed.turn[:, 2, 0, 0] * view.placed.origin[:, 0, 0]
    order = depth.sum(axis=0)

    def rank(index: int) -> tuple[bool, bool, float]:
        surface = scene.surfaces[index]
        return (not surface.solid, surface.bounded, -float(order[index]))

    return sorted(range(len(scene.surfaces)), key=rank)


def _paint_surface(canvas: _Canvas, scene: Scene, view: View, what: tuple[int, _Look, Box]) -> None:
    """Paint one surface where it is nearer than what is there."""
    index, look, (top, bottom, left, right) = what
    surface, here = scene.surfaces[index], np.s_[top:bottom, left:right]
    shape = (bottom - top, right - left)
    u, v = (lines[here].reshape(1, 1, -1) for lines in canvas.sight)
    meeting = meet(view.surface(index), u, v, view.curved[index])
    along, across, depth = (array.reshape(shape) for array in meeting)
    front = (depth > NEAREST) & (depth < canvas.depth[here])
    if surface.bounded:
        rim = view.margin(index, meeting[0], meeting[1]).reshape(shape)
        rim = np.where(depth > NEAREST, rim, -1.0)
        cover = _coverage(surface, rim) * front
        inside = front & (rim >= 0)
    else:
        cover, inside = front.astype(np.float32), front
    if not cover.any():
        return
    part = _extent(cover)
    colour = _sampled(look, surface.paint.tile, along[part], across[part])
    below = canvas.colour[here][part]
    below += cover[part][..., None] * (colour - below)
    if surface.solid:
        canvas.depth[here] = np.where(inside, depth, canvas.depth[here])
        canvas.surface[here] = np.where(inside, index, canvas.surface[here])


def _extent(cover: Float32) -> tuple[slice, slice]:
    """The rows and columns with anything in them, and one more to measure slopes with."""
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(cover.any(axis=axis))
        spans.append(slice(max(0, int(found[0]) - 1), int(found[-1]) + 2))
    return spans[0], spans[1]


def _coverage(surface: Surface, rim: Float32) -> Float32:
    """How much of each pixel a surface covers, 0..1 [h, w], from its margin."""
    if surface.solid:
        pixel = _slope(rim)
        return np.asarray(np.clip(rim / np.maximum(pixel, 1e-9) + 0.5, 0, 1), np.float32)
    share = np.clip(rim / (_SOFT_EDGE * float(surface.outline.radius.mean())), 0, 1)
    return np.asarray(surface.opacity * share * share * (3 - 2 * share), np.float32)


def _footprint(x: Float32, y: Float32) -> Float32:
    """Texels that a pixel covers in its longer direction, [h, w]; looked up on a coarse grid."""
    if min(x.shape) < 3 * _COARSE:
        return np.maximum(_slope(x), _slope(y))
    rough = np.maximum(_slope(x[::_COARSE, ::_COARSE]), _slope(y[::_COARSE, ::_COARSE])) / _COARSE
    return np.asarray(cv2.resize(rough, x.shape[::-1]), np.float32)


def _slope(values: Float32) -> Float32:
    """Change of values [h, w] from pixel to pixel."""
    down, across = np.gradient(values)
    return np.asarray(np.hypot(down, across), np.float32)


def _sampled(look: _Look, tile: float, x: Float32, y: Float32) -> Float32:
    """Colour of material points [h, w], as fine as the pixels show it, [h, w, 3]."""
    texel = np.float32(SIDE / tile)
    across: Float32 = x * texel
    down: Float32 = y * texel
    size = _footprint(across, down)
    fine = _wrapped(look.fine, across, down)
    if float(size.max()) <= 2:
        return fine
    share = np.clip(2.0 - 4.0 / np.maximum(size, 1e-6), 0, 1)[..., None]
    coarse = _wrapped(look.coarse, _coarser(across), _coarser(down))
    gone = np.clip(2.0 - 16.0 / np.maximum(size, 1e-6), 0, 1)[..., None]
    blended = fine + share * (coarse - fine)
    return np.asarray(blended + gone * (look.mean - blended), np.float32)


def _coarser(texels: Float32) -> Float32:
    """The same places in texels of a tile of a quarter of the size."""
    return np.asarray((texels - 1.5) / 4, np.float32)


def _wrapped(tile: Float32, x: Float32, y: Float32) -> Float32:
    """A tile that repeats itself, read at texels, [h, w, 3]."""
    read = cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(read, np.float32)
