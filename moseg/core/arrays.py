"""Per-frame arrays on disk: written frame by frame, read frame by frame.

The file is an ordinary `.npy` of shape [T, ...], so `numpy.load` opens it; T need not be
known before the last frame. Reads go through the file position, not through a memory map,
so that the resident memory of a stage does not grow with the length of the video.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from moseg.core.closing import Closing
from moseg.core.errors import CacheError


def save_array(path: Path, array: NDArray[np.generic]) -> None:
    """Write a whole array as `.npy`, the bytes of `numpy.save`.

    `numpy.save` loses the end of a file in silence when the disk fills up within the last
    4 kB (NumPy 2.4); here every byte that cannot be written is an error.

    Raises:
        OSError: the place cannot be written.
    """
    if array.dtype.hasobject:
        raise ValueError("arrays of Python objects are not written")
    plain = np.ascontiguousarray(array).reshape(array.shape)
    with path.open("wb") as file:
        npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(plain))
        file.write(plain.tobytes())


class FrameArrayWriter(Closing):
    """Append arrays of one shape and dtype to a `.npy` file; use as a context manager."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self._count = 0
        self._file = path.open("wb")
        self._write_header()

    def append(self, frame: NDArray[np.generic]) -> None:
        """Append one frame of shape `shape`; it is cast to the file's dtype."""
        self.extend(frame[None])

    def extend(self, frames: NDArray[np.generic]) -> None:
        """Append n frames, an array of shape [n, ...]."""
        if frames.shape[1:] != self.shape:
            raise ValueError(f"frames of shape {frames.shape[1:]} in an array of {self.shape}")
        self._file.write(np.ascontiguousarray(frames, dtype=self.dtype).tobytes())
        self._count += len(frames)

    def _write_header(self) -> None:
        # numpy pads the header so that the first axis can grow in place.
        self._file.seek(0)
        header = {
            "descr": npy.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self._count, *self.shape),
        }
        npy.write_array_header_1_0(self._file, header)

    def close(self) -> None:
        """Write the final number of frames and close the file."""
        if not self._file.closed:
            self._write_header()
            self._file.close()


class FrameArray(Closing):
    """Read-only view of a `.npy` file of shape [T, ...]; `array[t]` reads one frame.

    Any number of threads may read at once.

    Raises:
        CacheError: the file is not a plain C-ordered array or is cut short.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            npy.read_magic(self._file)
            shape, fortran, self.dtype = npy.read_array_header_1_0(self._file)
        except ValueError as error:
            raise CacheError(f"{path} is not a NumPy array file") from error
        self._start = self._file.tell()
        self.shape = tuple(shape)
        self._count = int(np.prod(shape[1:], dtype=np.int64))
        size = path.stat().st_size - self._start
        expected = shape[0] * self._count * self.dtype.itemsize
        if fortran or self.dtype.hasobject or size != expected:
            raise CacheError(f"{path} is cut short or of another kind")

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, index: int) -> NDArray[Any]:
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return np.asarray(self.block(index, index + 1)[0])

    def block(self, first: int, last: int) -> NDArray[Any]:
        """Return the frames `first` to `last` - 1, [n, ...]."""
        size = self._count * self.dtype.itemsize
        data = self._read((last - first) * size, self._start + first * size)
        return np.frombuffer(data, dtype=self.dtype).reshape(last - first, *self.shape[1:])

    def _read(self, size: int, at: int) -> bytes:
        """Return `size` bytes; the operating system gives at most 2 GB at a time."""
        parts = []
        while size > 0 and (part := os.pread(self._file.fileno(), size, at)):
            parts.append(part)
            size, at = size - len(part), at + len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[index] for index in range(len(self)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
