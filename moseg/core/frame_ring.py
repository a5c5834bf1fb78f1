"""Frames from one process of a machine to another, a bounded number ahead.

A ring is a file in shared memory that holds a few frames: one process writes frames in order,
the other takes them out, each waits for the other where the ring is full or empty. The file has
no name as soon as both have it open, so nothing is left of it whoever is killed.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moseg.core.errors import writing_to
from moseg.core.processes import is_alive

RGB = npt.NDArray[np.uint8]

RING_BYTES = 128 * 1024**2
MOST_FRAMES = 64
_HEADER = 64  # bytes; three counters of 8 bytes are used
_WRITTEN, _TAKEN, _CLOSED = range(3)
_NAP = 0.001
_NAME = re.compile(r"moseg-ring-(\d+)-[0-9a-f]+")


class FrameRing:
    """A ring of frames of one size; `create` makes one, `open` is for the other process."""

    def __init__(self, path: Path, shape: tuple[int, int, int], slots: int) -> None:
        size = int(np.prod(shape))
        self.path = path
        self.shape = shape
        self.slots = slots
        self._counters = np.memmap(path, np.int64, "r+", shape=(3,))
        self._frames = np.memmap(path, np.uint8, "r+", offset=_HEADER, shape=(slots, size))

    @classmethod
    def create(cls, height: int, width: int, budget: int = RING_BYTES) -> FrameRing:
        """Make a ring for RGB frames; of at least two, else as many as `budget` bytes hold.

        Raises:
            OutputError: there is no room for it.
        """
        shape = (height, width, 3)
        slots = int(np.clip(budget // np.prod(shape), 2, MOST_FRAMES))
        size = _HEADER + slots * int(np.prod(shape))
        folder = _folder(size)
        _sweep(folder)
        path = folder / f"moseg-ring-{os.getpid()}-{uuid.uuid4().hex}"
        with writing_to(path):
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            try:
                # Room is taken now: a write into a hole of a full disk would kill the process.
                os.posix_fallocate(file, 0, size)
            except OSError:
                path.unlink()
                raise
            finally:
                os.close(file)
        return cls(path, shape, slots)

    @classmethod
    def open(cls, path: Path, shape: tuple[int, int, int], slots: int) -> FrameRing:
        """Open what the other process created, and take away its name."""
        ring = cls(path, shape, slots)
        path.unlink()
        return ring

    def write(self, frames: Iterable[RGB], reader: int) -> int:
        """Put frames in, waiting for room; return how many the reader wanted.

        Args:
            frames: uint8 [height, width, 3] each.
            reader: process that takes them; the rest is left out when it is gone.
        """
        count = 0
        for frame in frames:
            while self._counters[_WRITTEN] - self._counters[_TAKEN] >= self.slots:
                if self._counters[_CLOSED] or not is_alive(reader):
                    return count
                time.sleep(_NAP)
            self._frames[count % self.slots] = frame.reshape(-1)
            count += 1
            self._counters[_WRITTEN] = count
        return count

    def take(self, ended: Callable[[], bool]) -> Iterator[RGB]:
        """Yield frames, uint8 [height, width, 3], as they come.

        Args:
            ended: asked while waiting: whether the writer is through, or gone.
        """
        count = 0
        while True:
            while self._counters[_WRITTEN] <= count:
                if ended() and self._counters[_WRITTEN] <= count:
                    return
                time.sleep(_NAP)
            yield self._frames[count % self.slots].reshape(self.shape).copy()
            count += 1
            self._counters[_TAKEN] = count

    def close(self) -> None:
        """Tell the writer that no more frames are wanted."""
        self._counters[_CLOSED] = 1
        self.path.unlink(missing_ok=True)


def _folder(size: int) -> Path:
    """Return where a ring lies: in memory where there is room, else where temporary files do."""
    memory = Path("/dev/shm")
    with suppress(OSError):
        free = os.statvfs(memory)
        if free.f_bavail * free.f_frsize > 2 * size:
            return memory
    return Path(tempfile.gettempdir())


def _sweep(folder: Path) -> None:
    """Remove rings that processes of this machine, now dead, had no time to open."""
    for path in folder.glob("moseg-ring-*"):
        match = _NAME.fullmatch(path.name)
        if match and not is_alive(int(match[1])):
            with suppress(OSError):
                path.unlink()
