"""The tracks labelled as moving, by windows of frames, read from the artefacts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.closing import Closing
from moseg.core.errors import CacheError
from moseg.core.track_sets import TrackSets
from moseg.core.types import TrackLabels, list_by_frame
from moseg.core.working_clip import Scale
from moseg.sam2.tracks import TrackWindow

Rows = NDArray[np.intp]


class MovingTracks(Closing):
    """Random access by window to the artefacts of the `tracks` and `labels` stages.

    The sets of one query frame are read one after another; a window holds `limit` tracks at
    most.
    """

    def __init__(
        self,
        tracks: Path,
        labels: Path,
        confidence: float,
        limit: int,
        scale: Scale | None = None,
    ) -> None:
        """Open both artefacts.

        Args:
            confidence: of a position, below which a track counts as not visible, 0..1.
            limit: of several more tracks in a window, this many, evenly drawn, are taken.
            scale: of the masks' pixels; None where masks are as large as the selected frames.

        Raises:
            CacheError: the two do not belong together.
        """
        self._tracks = TrackSets(tracks)
        self._labels = {int(path.stem): path for path in list_by_frame(labels)}
        if self._tracks.query_frames != list(self._labels):
            raise CacheError(f"{labels} does not belong to {tracks}; delete both and run again")
        self._windows = {query: self._tracks.window(query) for query in self._labels}
        self._confidence = confidence
        self._limit = limit
        self._scale = scale

    def window(self, frames: range) -> TrackWindow:
        """Return the moving tracks that are visible in some of `frames`."""
        chosen = self._chosen(frames)
        count = sum(len(rows) for rows in chosen.values())
        xy = np.zeros((count, len(frames), 2), np.float32)
        visible = np.zeros((count, len(frames)), bool)
        first = 0
        for query, rows in chosen.items():
            part = slice(first, first + len(rows))
            self._fill(query, rows, frames, xy[part], visible[part])
            first += len(rows)
        seen = visible.any(axis=1)
        xy = xy[seen]
        if self._scale is not None:
            xy = self._scale.to_working(xy)
        return TrackWindow(frames.start, xy, visible[seen])

    def _chosen(self, frames: range) -> dict[int, Rows]:
        """Return the rows to read of each query frame whose window shares a frame."""
        moving: dict[int, Rows] = {}
        for query, (start, length) in self._windows.items():
            if start < frames.stop and start + length > frames.start:
                moving[query] = np.flatnonzero(TrackLabels.load(self._labels[query]).dynamic)
        total = sum(len(rows) for rows in moving.values())
        if total <= self._limit:
            return moving
        taken = np.zeros(total, bool)
        taken[np.arange(self._limit) * total // self._limit] = True
        parts = np.split(taken, np.cumsum([len(rows) for rows in moving.values()])[:-1])
        return {
            query: rows[part] for (query, rows), part in zip(moving.items(), parts, strict=True)
        }

    def _fill(
        self,
        query: int,
        rows: Rows,
        frames: range,
        xy: NDArray[np.float32],
        visible: NDArray[np.bool_],
    ) -> None:
        """Copy rows of one set into the window's arrays, [k, L, 2] and [k, L]."""
        if not len(rows):
            return
        tracks = self._tracks.load(query)
        length = tracks.visible.shape[1]
        first, stop = max(tracks.start, frames.start), min(tracks.start + length, frames.stop)
        here = np.s_[first - frames.start : stop - frames.start]
        there = np.s_[first - tracks.start : stop - tracks.start]
        xy[:, here] = tracks.xy[rows, there]
        sure = tracks.confidence[rows, there] > self._confidence
        visible[:, here] = tracks.visible[rows, there] & sure

    def close(self) -> None:
        """Close the tracks."""
        self._tracks.close()
