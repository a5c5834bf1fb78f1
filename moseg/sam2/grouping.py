"""Which moving tracks are one object: click where many are seen, take those within the mask.

The method of SegAnyMo ("Segment Any Motion in Videos", CVPR 2025), with its dead ends mended:
a click that takes no track loses its point instead of being repeated, and grouping ends when
no track is visible any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.points import dilated, inside, medoid
from moseg.sam2.tracks import TrackWindow

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
Rows = NDArray[np.intp]
Click = Callable[[int, Float32], Bool]
"""Mask, bool [H, W], of what lies at points [n, 2] of a frame."""

FEWEST = 6
"""Tracks in and around a mask that make an object; scenes with fewer take what there is."""


@dataclass(frozen=True)
class Group:
    """The tracks of one object.

    Attributes:
        frame: of the scene, in which they lay within one mask.
        rows: their rows in the window, int [m], m >= 1.
        support: tracks in the mask and around it.
    """

    frame: int
    rows: Rows
    support: int


class TrackPool:
    """The tracks of a window that no object has taken yet."""

    def __init__(self, window: TrackWindow) -> None:
        self.window = window
        self._left = np.ones(len(window), bool)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._left))

    def counts(self) -> NDArray[np.intp]:
        """Visible tracks in each frame of the window, int [L]."""
        return np.asarray((self.window.visible & self._left[:, None]).sum(axis=0, dtype=np.intp))

    def rows(self, frame: int) -> Rows:
        """Rows of the tracks that are visible in a frame of the scene."""
        return np.flatnonzero(self._left & self.window.visible[:, frame - self.window.start])

    def take(self, frame: int, mask: Bool) -> tuple[Rows, int]:
        """Remove the tracks that are visible in and around a mask, bool [H, W].

        Returns:
            The rows of those within the mask itself, and how many were removed.
        """
        rows = self.rows(frame)
        points = self.window.xy[rows, frame - self.window.start]
        near = inside(dilated(mask), points)
        self._left[rows[near]] = False
        return rows[inside(mask, points)], int(np.count_nonzero(near))

    def drop(self, row: int) -> None:
        """Remove one track."""
        self._left[row] = False


def find_groups(
    pool: TrackPool, click: Click, rounds: int | None = None, take_all: bool = False
) -> list[Group]:
    """Take groups out of the pool, those seen best first; equal tracks give equal groups.

    Each round clicks the medoid of the tracks that are visible in one of the frames that show
    the most, and takes the tracks in and around the mask out of the pool. They are a group if
    some lie within the mask and at least 6 in or around it; the rest of the rule is in
    `_best_frame`.

    Args:
        pool: is left with the tracks that belong to nothing.
        click: asks the predictor about one frame alone.
        rounds: at most; None for one for 16 frames, 5 to 10. Tracks that are much shorter than
            the window need more, as those of one object do not show in one frame.
        take_all: the scene has fewer than 6 tracks: one round is made, and a single track within
            its mask will do.
    """
    window = pool.window
    if rounds is None:
        rounds = min(max(-(-(window.stop - window.start) // 16), 5), 10)
    groups: list[Group] = []
    for _ in range(rounds):
        if len(pool) < (1 if take_all else FEWEST):
            break
        frame = _best_frame(pool.counts(), window.start)
        rows = pool.rows(frame)
        if len(rows) == 0:
            break
        points = window.xy[rows, frame - window.start]
        clicked = medoid(points)
        within, support = pool.take(frame, click(frame, points[clicked : clicked + 1]))
        if len(within) and (take_all or support >= FEWEST):
            groups.append(Group(frame, within, support))
        if support == 0:
            pool.drop(int(rows[clicked]))
        if take_all:
            break
    return groups


def _best_frame(counts: NDArray[np.intp], start: int) -> int:
    """Return the middle one in time of the fifth of the frames that show the most tracks.

    Equal counts favour later frames; windows of less than 5 frames take all of theirs. If the
    frame found shows none, it is the first of those that show the most.
    """
    share = len(counts) // 5
    best = np.sort(np.argsort(counts, kind="stable")[-share:])
    middle = int(best[len(best) // 2])
    return start + (middle if counts[middle] else int(counts.argmax()))
