"""Which tracks the classifier sees, and as what (SegAnyMo, CVPR 2025; seeded here)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.core.track_array import parse_logits

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Tracks of one window that are classified together.

    Attributes:
        rows: int64 [n], which tracks of the window, in order.
        xy: float32 [n, L, 2], pixels of the frames as selected.
        visible: bool [n, L]; some track in every frame, and each track in some frame.
        visibility, confidence: float32 [n, L], 0..1.
    """

    rows: Int64
    xy: Float32
    visible: Bool
    visibility: Float32
    confidence: Float32

    def __len__(self) -> int:
        return len(self.rows)


def draw_rows(rng: np.random.Generator, counts: Sequence[int], limit: int) -> Int64:
    """Return which tracks of a window to classify; see `choose_rows`.

    Args:
        rng: what the permutations come from.
        counts: tracks of each query frame.
        limit: tracks that are classified together.
    """
    permutations = [rng.permutation(count) for count in counts]
    return choose_rows(permutations, rng.permutation(sum(share(counts))), limit)


def choose_rows(permutations: Sequence[Int64], last: Int64, limit: int) -> Int64:
    """Return which tracks of a window to classify, int64 [n] with n <= limit.

    Of Q query frames each gives one in Q of its tracks, so that all together give about as many
    as one of them has; of these at most `limit` are taken.

    Args:
        permutations: of the tracks of each query frame, numbered from 0.
        last: permutation of what the query frames give together.
        limit: tracks that are classified together.
    """
    counts = [len(permutation) for permutation in permutations]
    parts, first = [np.zeros(0, np.int64)], 0
    for permutation, kept in zip(permutations, share(counts), strict=True):
        parts.append(first + permutation[:kept])
        first += len(permutation)
    return np.concatenate(parts)[last[:limit]]


def share(counts: Sequence[int]) -> list[int]:
    """Return how many tracks each query frame gives: one in Q, but at least one if it has any."""
    return [min(count, max(1, count // len(counts))) for count in counts]


def make_sample(rows: Int64, tracks: Float32) -> Sample:
    """Return the tracks as the classifier takes them; those visible in no frame are left out.

    In a frame in which no track is visible, the one with the highest confidence counts as
    visible: attention among tracks needs someone to attend to.

    Args:
        rows: int64 [n], numbers of the tracks.
        tracks: float32 [n, L, 4], x, y and the logits of `moseg.core.track_array`.
    """
    visible, visibility, confidence = parse_logits(tracks[..., 2], tracks[..., 3])
    seen = visible.any(axis=1)
    visible, visibility, confidence = visible[seen], visibility[seen], confidence[seen]
    if len(visible):
        empty = np.flatnonzero(~visible.any(axis=0))
        visible[confidence[:, empty].argmax(axis=0), empty] = True
    xy = np.ascontiguousarray(tracks[seen, :, :2])
    return Sample(rows[seen], xy, visible, visibility, confidence)


def normalise(xy: Float32, height: int, width: int) -> Float32:
    """Return positions [..., 2] as -1..1 from edge to edge of the frame, cut off there."""
    size = np.array([width, height], np.float32)
    unit: Float32 = np.float32(2) * (xy / size) - np.float32(1)
    return unit.clip(-1, 1)
