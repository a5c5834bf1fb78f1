"""True tracks of simulated scenes: where points of the first picture go, and whether they move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.motion.simulate.geometry import NEAREST, Array, like, namespace, place
from moseg.motion.simulate.scene import Scene
from moseg.motion.simulate.views import SAME_DEPTH, View, nearest, view_of


@dataclass(frozen=True)
class SimulatedTracks:
    """Tracks of B scenes, N points each, over T frames; numpy arrays or torch tensors.

    Attributes:
        query_frame: in which the points were chosen.
        xy: float [B, N, T, 2], pixels (x, y), pixel centres at integers, finite as float16;
            where the point is hidden, where it would be seen.
        visible: bool [B, N, T], in the picture and in front of everything solid.
        disparity: float [B, N, T], 1 / depth in 1 / metres; 0 behind the camera.
        moving: bool [B, N], on an object that moves in the world in some frame.
        moving_now: bool [B, N, T], on an object that moves in the world in this frame.
        object_id: int64 [B, N], 0 for everything that is no moving object.
        surface: int64 [B, N], the number of the surface in the scene.
    """

    query_frame: int
    xy: Array
    visible: Array
    disparity: Array
    moving: Array
    moving_now: Array
    object_id: Array
    surface: Array


def simulate_tracks(
    scenes: Sequence[Scene],
    points: NDArray[np.floating],
    query_frame: int = 0,
    view: View | None = None,
) -> SimulatedTracks:
    """Follow points through scenes of one size and length.

    Args:
        scenes: B of them.
        points: where the tracks start, (x, y) [N, 2] or for each scene [B, N, 2].
        query_frame: in which frame they start there.
        view: `view_of(scenes)`, where it is at hand, on a device, or in another precision;
            the tracks are arrays of its kind.

    Raises:
        ValueError: the scenes differ in size or length, or there is no such frame.
    """
    view = view_of(scenes) if view is None else view
    frames = len(scenes[0])
    if not 0 <= query_frame < frames:
        raise ValueError(f"no frame {query_frame} in {frames} frames")
    first = view.frames(query_frame, query_frame + 1)
    start = like(view.focal, np.broadcast_to(points, (len(scenes), *np.shape(points)[-2:])))
    found = nearest(first, *first.sight(start[:, None]), view.solid)
    surface = found.surface[:, 0]
    known = surface >= 0
    surface = surface * known
    u, v, depth = place(view.under(surface), found.x, found.y, any(view.curved))
    pixels = view.pixels(u, v)
    visible = _seen(view, pixels, depth) & known[:, None]
    xp = namespace(pixels)
    near = xp.where(depth > NEAREST, depth, xp.zeros_like(depth) + np.inf)
    object_id, now = _truth(scenes, surface)
    return SimulatedTracks(
        query_frame=query_frame,
        xy=xp.moveaxis(pixels, 1, 2),
        visible=xp.swapaxes(visible, 1, 2),
        disparity=xp.swapaxes(1 / near, 1, 2),
        moving=now.any(2) & known,
        moving_now=now & known[..., None],
        object_id=object_id * known,
        surface=surface,
    )


def _seen(view: View, pixels: Array, depth: Array) -> Array:
    """Which points [B, T, N] are in the picture and not behind anything solid."""
    xp = namespace(pixels)
    x, y = pixels[..., 0], pixels[..., 1]
    inside = (x >= -0.5) & (y >= -0.5) & (x < view.size[1] - 0.5) & (y < view.size[0] - 0.5)
    ahead = nearest(view, *view.sight(pixels), view.solid).depth
    return inside & (depth > NEAREST) & xp.isfinite(ahead) & (depth <= ahead * (1 + SAME_DEPTH))


def _truth(scenes: Sequence[Scene], surface: Array) -> tuple[Array, Array]:
    """Object of each point [B, N], and in which frames it moves [B, N, T]."""
    widest = max(len(scene.surfaces) for scene in scenes)
    most = max(len(scene.moves) for scene in scenes)
    owner = np.zeros((len(scenes), widest), dtype=np.int64)
    moves = np.zeros((len(scenes), most, len(scenes[0])), dtype=np.bool_)
    for index, scene in enumerate(scenes):
        owner[index, : len(scene.surfaces)] = [part.object_id for part in scene.surfaces]
        moves[index, : len(scene.moves)] = scene.moves
    here = np.arange(len(scenes))[:, None]
    object_id = like(surface, owner)[here, surface]
    return object_id, like(surface, moves)[here, object_id]
