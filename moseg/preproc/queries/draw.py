"""Grids of query points, and the sample of them that is worth tracking.

The released track classifier is fed a random sample of all tracks (SegAnyMo, CVPR 2025). Drawn
before tracking, the sample has the same distribution and most of the tracking is saved.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from moseg.core.query_points import QueryPoints, nearest_window, window_starts

Float32 = NDArray[np.float32]

GRID_POINTS = 9000
"""The grid is as coarse as it can be with at least about so many points."""


def grid_points(height: int, width: int) -> Float32:
    """Return the grid float32 [N, 2] (x, y) of a frame in pixels, row by row from (0, 0)."""
    spacing = max(1, math.isqrt(height * width // GRID_POINTS))
    rows, columns = np.mgrid[0:height:spacing, 0:width:spacing]
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)


def all_points(
    frames: int, grid: Float32, step: int, window: int, limit: int | None, seed: int
) -> QueryPoints:
    """Return what is tracked in a scene.

    Args:
        frames: T.
        grid: float32 [n, 2], points of each query frame 0, step, 2 * step, ...
        step: frames between query frames.
        window: frames that can be tracked together.
        limit: points of a window; None takes all of the grids.
        seed: of the draw.
    """
    length = min(frames, window)
    starts = window_starts(frames, length)
    queries = np.arange(0, frames, step)
    homes = np.array([nearest_window(int(query), starts, length) for query in queries])
    starts, homes = _used(starts, homes)
    rng = np.random.default_rng(seed)
    parts = []
    for window_number in range(len(starts)):
        own = queries[homes == window_number]
        picks = [np.arange(len(grid))] * len(own)
        if limit is not None:
            picks = draw(rng, [len(grid)] * len(own), limit)
        for query, pick in zip(own, picks, strict=True):
            parts.append((window_number, int(query), grid[pick]))
    return QueryPoints(
        starts=starts,
        length=length,
        window=_repeated([w for w, _, _ in parts], parts),
        frame=_repeated([q for _, q, _ in parts], parts),
        xy=np.concatenate([xy for _, _, xy in parts]),
        drawn=limit is not None,
    )


def draw(rng: np.random.Generator, counts: list[int], limit: int) -> list[NDArray[np.int64]]:
    """Return which points of each query frame are kept, ascending.

    Of each of the Q query frames one point in Q, but at least one, and of those at most `limit`
    in all: the distribution of the reference's own sampling.
    """
    shares = [min(count, max(1, count // len(counts))) for count in counts]
    kept = [
        np.sort(rng.permutation(count)[:share]) for count, share in zip(counts, shares, strict=True)
    ]
    owner = np.repeat(np.arange(len(kept)), [len(part) for part in kept])
    chosen = np.sort(rng.permutation(len(owner))[:limit])
    flat = np.concatenate(kept)[chosen]
    return [flat[owner[chosen] == number] for number in range(len(kept))]


def _used(
    starts: NDArray[np.int64], homes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Leave out windows to which no query frame belongs."""
    used, renumbered = np.unique(homes, return_inverse=True)
    return starts[used], renumbered


def _repeated(values: list[int], parts: list[tuple[int, int, Float32]]) -> NDArray[np.int64]:
    return np.repeat(np.array(values, np.int64), [len(xy) for _, _, xy in parts])
