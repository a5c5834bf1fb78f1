"""Scenes as their cameras see them, many at a time: what is in front along a line of sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from moseg.motion.simulate.geometry import (
    NEAREST,
    Array,
    Placed,
    like,
    margin,
    meet,
    namespace,
    relative_pose,
)
from moseg.motion.simulate.scene import ANGLES, UNBOUNDED, WAVES, Scene

SAME_DEPTH = 5e-4
"""A surface hides a point if it is nearer by more than this share of the depth."""
FARTHEST_PIXEL = 8192.0
"""Coordinates stay within this, so that they are finite as float16."""


@dataclass(frozen=True)
class View:
    """Scenes of one size and length as their cameras see them.

    Attributes:
        placed: with the surfaces along the last axis, S of them; scenes with fewer are
            filled up with surfaces of no size.
        outline: radii, [B, S, A], and `stretch`, metres, [2, B, 1, S].
        focal: [B, T], pixels.
        size: height and width in pixels.
        solid, veils: which surfaces of each scene are, [S][B].
        curved, bounded: whether any scene's surface is bent or waving, or ends, [S].
    """

    placed: Placed
    outline: Array
    stretch: Array
    focal: Array
    size: tuple[int, int]
    solid: tuple[tuple[bool, ...], ...]
    veils: tuple[tuple[bool, ...], ...]
    curved: tuple[bool, ...]
    bounded: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.solid)

    def on(self, device: Any) -> View:
        """The same view in torch tensors on a device."""
        import torch

        def moved(array: Array) -> Array:
            return torch.as_tensor(array, device=device)

        placed = Placed(*[moved(getattr(self.placed, item.name)) for item in fields(Placed)])
        return replace(
            self,
            placed=placed,
            outline=moved(self.outline),
            stretch=moved(self.stretch),
            focal=moved(self.focal),
        )

    def frames(self, start: int, stop: int) -> View:
        """The same view of the frames start .. stop - 1."""
        placed = replace(
            self.placed,
            turn=self.placed.turn[:, :, :, start:stop],
            origin=self.placed.origin[:, :, start:stop],
            phase=self.placed.phase[:, :, start:stop],
        )
        return replace(self, placed=placed, focal=self.focal[:, start:stop])

    def surface(self, index: int) -> Placed:
        """One surface of every scene, P = 1."""
        return Placed(
            *[getattr(self.placed, item.name)[..., index : index + 1] for item in fields(Placed)]
        )

    def under(self, index: Array) -> Placed:
        """The surface of each point, given its number [B, P]."""
        scene = np.arange(len(index))[:, None, None]
        frame = np.arange(self.focal.shape[1])[None, :, None]
        here, once = index[:, None], 0 * frame[:, :1]
        return Placed(
            turn=self.placed.turn[:, :, scene, frame, here],
            origin=self.placed.origin[:, scene, frame, here],
            bend=self.placed.bend[:, scene, once, here],
            vector=self.placed.vector[:, :, scene, once, here],
            amplitude=self.placed.amplitude[:, :, scene, once, here],
            phase=self.placed.phase[:, scene, frame, here],
        )

    def sight(self, xy: Array) -> tuple[Array, Array]:
        """Lines of sight through pixels (x, y) [B, T, P, 2]: x / z and y / z, [B, T, P]."""
        height, width = self.size
        focal = self.focal[..., None]
        return (xy[..., 0] - (width - 1) / 2) / focal, (xy[..., 1] - (height - 1) / 2) / focal

    def pixels(self, u: Array, v: Array) -> Array:
        """Pixels (x, y) of lines of sight, [B, T, P, 2], finite and within FARTHEST_PIXEL."""
        height, width = self.size
        focal = self.focal[..., None]
        xp = namespace(u)
        xy = xp.stack([u * focal + (width - 1) / 2, v * focal + (height - 1) / 2], -1)
        return xp.clip(xy, -FARTHEST_PIXEL, FARTHEST_PIXEL)

    def margin(self, index: int, x: Array, y: Array) -> Array:
        """How far material points of one surface of every scene are inside its outline.

        In units of its radii, below zero outside, [B, T, P].
        """
        return margin(self.outline[:, index], self.stretch[..., index : index + 1], x, y)


def view_of(scenes: Sequence[Scene], precision: Any = np.float32) -> View:
    """Look at scenes of one size and length, in numpy arrays of a precision.

    Raises:
        ValueError: no scenes, or they differ in size or length.
    """
    if len({(scene.size, len(scene)) for scene in scenes}) != 1:
        raise ValueError("scenes of a batch need the same size and number of frames")
    count, frames = max(len(scene.surfaces) for scene in scenes), len(scenes[0])
    turn = np.zeros((3, 3, len(scenes), frames, count)) + np.eye(3)[:, :, None, None, None]
    origin = np.zeros((3, len(scenes), frames, count))
    bend = np.zeros((2, len(scenes), 1, count))
    vector = np.zeros((2, WAVES, len(scenes), 1, count))
    amplitude = np.zeros((3, WAVES, len(scenes), 1, count))
    phase = np.zeros((WAVES, len(scenes), frames, count))
    outline = np.full((len(scenes), count, ANGLES), -1.0)
    stretch = np.ones((2, len(scenes), 1, count))
    for b, scene in enumerate(scenes):
        here = np.s_[: len(scene.surfaces)]
        surfaces = scene.surfaces
        rotation = np.stack([surface.rotation for surface in surfaces])
        position = np.stack([surface.position for surface in surfaces])
        relative, centre = relative_pose(
            rotation, position, scene.camera.rotation, scene.camera.position
        )
        turn[:, :, b, :, here] = relative.transpose(2, 3, 1, 0)
        origin[:, b, :, here] = centre.transpose(2, 1, 0)
        bend[:, b, 0, here] = np.stack([s.bend for s in surfaces]).T
        vector[:, :, b, 0, here] = np.stack([s.waves.vector for s in surfaces]).transpose(2, 1, 0)
        lifted = np.stack([s.waves.amplitude for s in surfaces])
        amplitude[:, :, b, 0, here] = lifted.transpose(2, 1, 0)
        phase[:, b, :, here] = np.stack([s.waves.phase for s in surfaces]).transpose(2, 1, 0)
        outline[b, here] = np.stack([s.outline.radius for s in surfaces])
        stretch[:, b, 0, here] = np.stack([s.outline.stretch for s in surfaces]).T
    arrays = [turn, origin, bend, vector, amplitude, phase]
    return View(
        placed=Placed(*[array.astype(precision) for array in arrays]),
        outline=outline.astype(precision),
        stretch=stretch.astype(precision),
        focal=np.stack([scene.camera.focal for scene in scenes]).astype(precision),
        size=scenes[0].size,
        solid=tuple(tuple(_is_solid(s, i, True) for s in scenes) for i in range(count)),
        veils=tuple(tuple(_is_solid(s, i, False) for s in scenes) for i in range(count)),
        curved=tuple(bool(bend[..., i].any() or amplitude[..., i].any()) for i in range(count)),
        bounded=tuple(bool((outline[:, i] < UNBOUNDED).any()) for i in range(count)),
    )


def _is_solid(scene: Scene, index: int, wanted: bool) -> bool:
    """Whether the scene has such a surface, and it is solid, or a veil, as wanted."""
    return index < len(scene.surfaces) and scene.surfaces[index].solid is wanted


@dataclass(frozen=True)
class Front:
    """What is in front along lines of sight.

    Attributes:
        surface: number of the nearest surface, int64 [B, T, P]; -1 where there is none.
        x, y: material coordinates on it, [B, T, P].
        depth: metres, infinite where there is none, [B, T, P].
    """

    surface: Array
    x: Array
    y: Array
    depth: Array


def nearest(view: View, u: Array, v: Array, among: Sequence[Sequence[bool]]) -> Front:
    """The nearest surface along lines of sight [B, T, P].

    Args:
        among: which surfaces of each scene count, [S][B]: `view.solid` or `view.veils`.
    """
    xp = namespace(u)
    best = Front(
        surface=xp.zeros_like(u, dtype=xp.int64) - 1, x=0 * u, y=0 * u, depth=0 * u + np.inf
    )
    for index, wanted in enumerate(among):
        if any(wanted):
            best = _nearer(view, index, (u, v), best, wanted)
    return best


def _nearer(
    view: View, index: int, sight: tuple[Array, Array], best: Front, wanted: Sequence[bool]
) -> Front:
    """`best`, or the surface `index` of the wanted scenes where it is nearer."""
    xp = namespace(sight[0])
    x, y, depth = meet(view.surface(index), *sight, view.curved[index])
    closer = (depth > NEAREST) & (depth < best.depth)
    if view.bounded[index]:
        closer = closer & (view.margin(index, x, y) >= 0)
    if not all(wanted):
        closer = closer & like(x, np.asarray(wanted)[:, None, None])
    return Front(
        surface=xp.where(closer, index, best.surface),
        x=xp.where(closer, x, best.x),
        y=xp.where(closer, y, best.y),
        depth=xp.where(closer, depth, best.depth),
    )
