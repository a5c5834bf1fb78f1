"""Masks of many objects in many frames, in one file that is gone at the end."""

from __future__ import annotations

import threading
import zlib
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.closing import Closing
from moseg.core.errors import writing_to

Bool = NDArray[np.bool_]

_NONE = -1


@dataclass
class _Frames:
    """Numbers of the records of one object, from its first frame on; -1 where there is none."""

    first: int
    records: array[int] = field(default_factory=lambda: array("q"))

    def find(self, frame: int) -> int:
        at = frame - self.first
        return self.records[at] if 0 <= at < len(self.records) else _NONE

    def set(self, frame: int, record: int) -> None:
        if frame < self.first:
            self.records = array("q", [_NONE] * (self.first - frame)) + self.records
            self.first = frame
        at = frame - self.first
        self.records.extend([_NONE] * (at + 1 - len(self.records)))
        self.records[at] = record


class MaskStore(Closing):
    """Masks and scores by object and frame; about 40 bytes of memory for each.

    A mask is cropped to what it holds, packed to bits and compressed. The file only grows:
    a mask that is put again leaves its old bytes behind. It may be read from several threads
    while none writes.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        """Make the file; it is deleted by `close`.

        Args:
            path: of the file; one that is there is replaced.
            size: H and W of all masks.

        Raises:
            OutputError: the place cannot be written.
        """
        self.size = size
        self._path = path
        with writing_to(path):
            self._file = path.open("w+b")
        self._lock = threading.Lock()
        self._objects: dict[int, _Frames] = {}
        self._ends = array("Q", [0])
        self._boxes = array("I")
        self._scores = array("d")

    def put(self, name: int, frame: int, mask: Bool, score: float) -> None:
        """Keep the mask of an object in a frame, bool [H, W], in place of an earlier one.

        Raises:
            OutputError: the disk is full.
            ValueError: the mask has another size.
        """
        if mask.shape != self.size:
            raise ValueError(f"masks must be {list(self.size)}, not {list(mask.shape)}")
        left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
        coded = b""
        if width:
            bits = np.packbits(mask[top : top + height, left : left + width])
            coded = zlib.compress(bits.tobytes(), 1)
        start = self._ends[-1]
        with writing_to(self._path):
            self._file.seek(start)
            self._file.write(coded)
            self._file.flush()
        self._ends.append(start + len(coded))
        self._boxes.extend((top, left, height, width))
        self._scores.append(score)
        self._objects.setdefault(name, _Frames(frame)).set(frame, len(self._scores) - 1)

    def get(self, name: int, frame: int) -> Bool:
        """Return the mask of an object in a frame, bool [H, W].

        Raises:
            KeyError: there is none.
        """
        record = self._record(name, frame)
        mask = np.zeros(self.size, bool)
        start, end = self._ends[record], self._ends[record + 1]
        if start == end:
            return mask
        with self._lock:
            self._file.seek(start)
            coded = self._file.read(end - start)
        top, left, height, width = self._boxes[4 * record : 4 * record + 4]
        packed = np.frombuffer(zlib.decompress(coded), np.uint8)
        bits = np.unpackbits(packed, count=height * width)
        mask[top : top + height, left : left + width] = bits.reshape(height, width)
        return mask

    def has(self, name: int, frame: int) -> bool:
        """Whether there is a mask of an object in a frame, be it empty."""
        return name in self._objects and self._objects[name].find(frame) != _NONE

    def seen(self, name: int, frame: int) -> bool:
        """Whether there is a mask of an object in a frame that is not empty."""
        if not self.has(name, frame):
            return False
        record = self._record(name, frame)
        return self._ends[record + 1] > self._ends[record]

    def score(self, name: int, frame: int) -> float:
        """Return the score of an object in a frame.

        Raises:
            KeyError: there is no mask.
        """
        return self._scores[self._record(name, frame)]

    def frames(self, name: int) -> list[int]:
        """Return the frames in which an object has a mask, be it empty, ascending."""
        if name not in self._objects:
            return []
        held = self._objects[name]
        return [held.first + at for at, record in enumerate(held.records) if record != _NONE]

    def _record(self, name: int, frame: int) -> int:
        if not self.has(name, frame):
            raise KeyError((name, frame))
        return self._objects[name].find(frame)

    def close(self) -> None:
        """Delete the file."""
        with suppress(OSError):  # a last flush to a full disk; nothing will be read
            self._file.close()
        self._path.unlink(missing_ok=True)
