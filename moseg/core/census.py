"""A count of the objects in a stream of masks, for summaries and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class ObjectLife:
    """One object over the video.

    Attributes:
        first, last: names of the frames where it is first and last seen.
        frames: number of frames in which it is seen.
        area: pixels in all of them together.
    """

    first: str
    last: str
    frames: int = 0
    area: int = 0


class ObjectCensus:
    """Takes the masks of a video in order; memory does not grow with their number."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._seen = 0
        self._pixels = 0
        self.objects: dict[int, ObjectLife] = {}

    def add(self, ids: NDArray[np.uint8]) -> None:
        """Count the next mask, uint8 [H, W]."""
        name = self._names[self._seen]
        self._seen += 1
        self._pixels += ids.size
        areas = np.bincount(ids.reshape(-1), minlength=256)
        for number in np.flatnonzero(areas[1:]) + 1:
            life = self.objects.setdefault(int(number), ObjectLife(name, name))
            life.last = name
            life.frames += 1
            life.area += int(areas[number])

    def summary(self, scores: Mapping[int, float] | None = None) -> dict[str, Any]:
        """Return the objects for `run.json`; areas are mean shares of the frame when seen.

        Args:
            scores: of objects by id, 0..1, how sure their masks are; None where nobody knows.
        """
        scores = scores or {}
        size = self._pixels / max(self._seen, 1)
        return {
            "masks": self._seen,
            "objects": [
                {
                    "id": number,
                    "first_frame": life.first,
                    "last_frame": life.last,
                    "frames": life.frames,
                    "mean_area": round(life.area / life.frames / size, 5),
                }
                | ({"score": round(scores[number], 4)} if number in scores else {})
                for number, life in sorted(self.objects.items())
            ],
        }
