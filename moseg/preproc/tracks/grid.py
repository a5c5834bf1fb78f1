"""Point tracks on a grid: flow chained from frame to frame.

A *set* of tracks starts on a regular grid of one query frame and runs forwards and backwards
over a window of at most ``span`` frames on either side, so that memory depends on the span
and never on the length of the video. A track ends, in each direction, where it leaves the
image or fails the forward-backward check of Sundaram, Brox and Keutzer, "Dense point
trajectories by GPU-accelerated large displacement optical flow" (ECCV 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moseg.core.sampling import bilinear

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

DEFAULT_SPAN = 10
DEFAULT_SPACING = 5

# Sundaram et al.: a track goes on while |f + b|^2 < RELATIVE (|f|^2 + |b|^2) + ABSOLUTE.
RELATIVE = 0.01
ABSOLUTE = 0.5
# A summed forward-backward error of this many pixels brings the confidence down to 1/e.
DRIFT_SCALE = 4.0


class FlowSource(Protocol):
    """Random access to the flow of frame pairs; float16 or float32 [h, w, 2], pixels."""

    def forward(self, pair: int) -> NDArray[np.floating]:
        """Flow from frame ``pair`` to frame ``pair + 1``."""

    def backward(self, pair: int) -> NDArray[np.floating]:
        """Flow from frame ``pair + 1`` to frame ``pair``."""


@dataclass(frozen=True)
class TrackSet:
    """Tracks of one query frame over the frames ``start .. start + L - 1``.

    Attributes:
        query_frame: the frame on whose grid the tracks start.
        start: first frame of the window.
        xy: positions in working pixels, pixel centres at integers, float32 [n, L, 2];
            where a track has ended, its last position.
        visible: bool [n, L]; true without gaps around the query frame.
        visibility: agreement of forward and backward flow in the step that led to the
            frame, 0..1, float32 [n, L]; zero where not visible.
        confidence: falls with the forward-backward error summed up since the query frame,
            0..1, float32 [n, L]; zero where not visible.
    """

    query_frame: int
    start: int
    xy: FloatArray
    visible: BoolArray
    visibility: FloatArray
    confidence: FloatArray


def grid_points(height: int, width: int, spacing: int = DEFAULT_SPACING) -> FloatArray:
    """Grid points (x, y), centred in the image, row by row, float32 [n, 2]; at least one."""
    x = _centred(width, spacing)
    y = _centred(height, spacing)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)


def _centred(length: int, spacing: int) -> FloatArray:
    count = max(1, length // spacing)
    first = (length - 1 - (count - 1) * spacing) / 2
    return (first + spacing * np.arange(count)).astype(np.float32)


def track_set(
    flows: FlowSource,
    query_frame: int,
    frame_count: int,
    size: tuple[int, int],
    span: int = DEFAULT_SPAN,
    spacing: int = DEFAULT_SPACING,
) -> TrackSet:
    """Track the grid of ``query_frame`` over its window.

    Args:
        flows: flow of all pairs; pairs ``query_frame - span .. query_frame + span - 1``
            are read, each once.
        query_frame: where the tracks start.
        frame_count: number of frames of the video.
        size: (height, width) of the working frames.
        span: frames to either side of the query frame, at most.
        spacing: grid spacing in pixels.
    """
    points = grid_points(size[0], size[1], spacing)
    start = max(0, query_frame - span)
    stop = min(frame_count, query_frame + span + 1)
    count, length, at = len(points), stop - start, query_frame - start
    tracks = TrackSet(
        query_frame=query_frame,
        start=start,
        xy=np.repeat(points[:, None], length, axis=1),
        visible=np.zeros((count, length), dtype=bool),
        visibility=np.zeros((count, length), dtype=np.float32),
        confidence=np.zeros((count, length), dtype=np.float32),
    )
    tracks.visible[:, at] = True
    tracks.visibility[:, at] = 1.0
    tracks.confidence[:, at] = 1.0
    for step in (1, -1):
        _run(tracks, flows, step)
    return tracks


def _run(tracks: TrackSet, flows: FlowSource, step: int) -> None:
    """Fill the window from the query frame on, forwards (step 1) or backwards (step -1)."""
    at = tracks.query_frame - tracks.start
    drift = np.zeros(len(tracks.xy), dtype=np.float32)
    while 0 <= at + step < tracks.xy.shape[1]:
        frame = tracks.start + at
        there = flows.forward(frame) if step > 0 else flows.backward(frame - 1)
        back = flows.backward(frame) if step > 0 else flows.forward(frame - 1)
        here = tracks.xy[:, at]
        moved, error, good = advance(here, there, back)
        alive = tracks.visible[:, at] & good
        drift = drift + np.where(alive, error, 0).astype(np.float32)
        at += step
        tracks.xy[:, at] = np.where(alive[:, None], moved, here)
        tracks.visible[:, at] = alive
        tracks.visibility[:, at] = alive / (1 + error * error)
        tracks.confidence[:, at] = alive * np.exp(-drift / DRIFT_SCALE)


def advance(
    points: FloatArray, there: NDArray[np.floating], back: NDArray[np.floating]
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Carry points along one flow field.

    Args:
        points: positions (x, y), [n, 2].
        there: flow of the frame the points are in, [h, w, 2].
        back: flow of the frame they go to, back to theirs, [h, w, 2].

    Returns:
        Positions [n, 2]; forward-backward error in pixels [n]; and whether the point stays
        inside the image and passes the check [n].
    """
    height, width = there.shape[:2]
    forth = bilinear(there, points)
    moved = points + forth
    inside = (moved >= 0).all(1) & (moved[:, 0] <= width - 1) & (moved[:, 1] <= height - 1)
    home = bilinear(back, moved)
    gap = np.square(forth + home).sum(1)
    length = np.square(forth).sum(1) + np.square(home).sum(1)
    return moved, np.sqrt(gap), inside & (gap < RELATIVE * length + ABSOLUTE)
