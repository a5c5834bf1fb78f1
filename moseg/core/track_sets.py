"""Tracks by query frame, whichever backend left them: one file a query frame, or one array."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from moseg.core.closing import Closing
from moseg.core.errors import CacheError
from moseg.core.track_array import ARRAY, TrackArray, parse_logits
from moseg.core.types import Tracks, list_by_frame


class TrackSets(Closing):
    """The artefact of any backend of the `tracks` stage.

    Raises:
        CacheError: files are missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.array = TrackArray(folder) if (folder / ARRAY).exists() else None
        self._files = {} if self.array else {int(p.stem): p for p in list_by_frame(folder)}

    @property
    def query_frames(self) -> list[int]:
        """The query frames, ascending."""
        return self.array.points.query_frames if self.array else list(self._files)

    def window(self, query: int) -> tuple[int, int]:
        """Return first frame and length of the window of a query frame, reading little."""
        if self.array:
            return self.array.points.start_of(query), self.array.points.length
        path = self._files[query]
        try:
            with np.load(path) as stored:
                return int(stored["start"]), int(stored["visible"].shape[1])
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise CacheError(f"{path} is not a Tracks file or is damaged") from error

    def load(self, query: int) -> Tracks:
        """Return the tracks of one query frame."""
        if self.array is None:
            return Tracks.load(self._files[query])
        points = self.array.points
        block = self.array.block(points.rows_of_frame(query))
        visible, visibility, confidence = parse_logits(block[..., 2], block[..., 3])
        return Tracks(
            query_frame=query,
            start=points.start_of(query),
            xy=np.ascontiguousarray(block[..., :2]),
            visible=visible,
            visibility=visibility,
            confidence=confidence,
        )

    def close(self) -> None:
        """Close the array's file."""
        if self.array:
            self.array.close()
