"""The tracks labelled as moving, by windows of frames, read from the artefacts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.closing import Closing
from moseg.core.labelled_tracks import CONFIDENT, Rows, even_share, label_files, moving_rows
from moseg.core.track_sets import TrackSets
from moseg.core.working_clip import Scale
from moseg.sam2.tracks import TrackWindow

CONFIDENT_CHAINED = 0.5
"""Confidence above which a position of chained flow counts, whose scale is another."""


class MovingTracks(Closing):
    """Random access by window to the artefacts of the `tracks` and `labels` stages.

    The sets of one query frame are read one after another; a window holds `limit` tracks at
    most.
    """

    def __init__(
        self,
        tracks: Path,
        labels: Path,
        confidence: float | None,
        limit: int,
        scale: Scale | None = None,
    ) -> None:
        """Open both artefacts.

        Args:
            confidence: of a position, below which a track counts as not visible, 0..1; None for
                what fits the tracker: 0.9, as the reference, or 0.5 for built-in tracks.
            limit: of several more tracks in a window, this many, evenly drawn, are taken.
            scale: of the masks' pixels; None where masks are as large as the selected frames.

        Raises:
            CacheError: the two do not belong together.
        """
        self._tracks = TrackSets(tracks)
        self._moving = moving_rows(label_files(self._tracks, tracks, labels))
        self._windows = {query: self._tracks.window(query) for query in self._moving}
        fitting = CONFIDENT_CHAINED if self.short else CONFIDENT
        self._confidence = fitting if confidence is None else confidence
        self._limit = limit
        self._scale = scale

    @property
    def short(self) -> bool:
        """Whether these are the built-in tracks, which run a few frames to either side."""
        return self._tracks.array is None

    @property
    def total(self) -> int:
        """See `TrackSource.total`."""
        return sum(len(rows) for rows in self._moving.values())

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
        here = {
            query: self._moving[query]
            for query, (start, length) in self._windows.items()
            if start < frames.stop and start + length > frames.start
        }
        return even_share(here, self._limit)

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
