"""Tracks and their labels as later stages read them: all points of one frame."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.closing import Closing
from moseg.core.errors import CacheError
from moseg.core.track_sets import TrackSets
from moseg.core.types import TrackLabels, Tracks, list_by_frame

Float32 = NDArray[np.float32]
Rows = NDArray[np.intp]

CONFIDENT = 0.9
"""Confidence above which the reference takes a position of a moving track."""


@dataclass(frozen=True)
class FramePoints:
    """The visible tracks in one frame.

    Attributes:
        xy: float32 [n, 2], pixels of the selected frames.
        log_odds: float32 [n], of moving in this frame; about 3 is sure.
        probability: float32 [n], of moving at some time.
        confidence: float32 [n], 0..1, of the position.
    """

    xy: Float32
    log_odds: Float32
    probability: Float32
    confidence: Float32


class LabelledTracks(Closing):
    """Random access by frame to the artefacts of the `tracks` and `labels` stages.

    The query frames whose windows share a frame are held at a time, so frames should be asked
    for in or against the order of time.
    """

    def __init__(self, tracks: Path, labels: Path) -> None:
        self._tracks = TrackSets(tracks)
        self._labels = label_files(self._tracks, tracks, labels)
        self._windows = {query: self._tracks.window(query) for query in self._labels}
        self._held_sets = _most_at_once(self._windows.values())
        self._held: OrderedDict[int, tuple[Tracks, TrackLabels]] = OrderedDict()

    def points(self, frame: int) -> FramePoints:
        """Return the judged tracks of all query frames that are visible in `frame`."""
        parts = [
            self._part(query, frame - start)
            for query, (start, length) in self._windows.items()
            if 0 <= frame - start < length
        ]
        empty = FramePoints(np.zeros((0, 2), np.float32), *[np.zeros(0, np.float32)] * 3)
        parts = parts or [empty]
        return FramePoints(
            xy=np.concatenate([part.xy for part in parts]),
            log_odds=np.concatenate([part.log_odds for part in parts]),
            probability=np.concatenate([part.probability for part in parts]),
            confidence=np.concatenate([part.confidence for part in parts]),
        )

    def _part(self, query: int, at: int) -> FramePoints:
        tracks, labels = self._load(query)
        seen = tracks.visible[:, at] & ~np.isnan(labels.probability)
        return FramePoints(
            xy=tracks.xy[seen, at],
            log_odds=labels.log_odds[seen, at],
            probability=labels.probability[seen],
            confidence=tracks.confidence[seen, at],
        )

    def _load(self, query: int) -> tuple[Tracks, TrackLabels]:
        if query in self._held:
            self._held.move_to_end(query)
        else:
            loaded = self._tracks.load(query), TrackLabels.load(self._labels[query])
            self._held[query] = loaded
            if len(self._held) > self._held_sets:
                self._held.popitem(last=False)
        return self._held[query]

    def close(self) -> None:
        """Close the tracks."""
        self._tracks.close()


def label_files(sets: TrackSets, tracks: Path, labels: Path) -> dict[int, Path]:
    """Return query frame -> file of the `labels` artefact.

    Args:
        sets: of the artefact `tracks`.

    Raises:
        CacheError: the two do not belong together.
    """
    files = {int(path.stem): path for path in list_by_frame(labels)}
    if sets.query_frames != list(files):
        raise CacheError(f"{labels} does not belong to {tracks}; delete both and run again")
    return files


def moving_rows(files: Mapping[int, Path]) -> dict[int, Rows]:
    """Return query frame -> rows of its tracks that move, from `label_files`."""
    return {query: np.flatnonzero(TrackLabels.load(path).dynamic) for query, path in files.items()}


def even_share(rows: Mapping[int, Rows], limit: int) -> dict[int, Rows]:
    """Return at most `limit` rows of all together, evenly drawn, by query frame."""
    total = sum(len(some) for some in rows.values())
    if total <= limit:
        return dict(rows)
    taken = np.zeros(total, bool)
    taken[np.arange(limit) * total // limit] = True
    parts = np.split(taken, np.cumsum([len(some) for some in rows.values()])[:-1])
    return {query: some[part] for (query, some), part in zip(rows.items(), parts, strict=True)}


def _most_at_once(windows: Collection[tuple[int, int]]) -> int:
    """Return how many windows (first frame, length) share a frame at most."""
    ends = [(start, 1) for start, _ in windows] + [
        (start + length, -1) for start, length in windows
    ]
    open_now = most = 0
    for _, change in sorted(ends):
        open_now += change
        most = max(most, open_now)
    return most
