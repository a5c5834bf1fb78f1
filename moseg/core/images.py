"""Reading image folders.

Which images: see `naming.IMAGE_SUFFIXES`. A file with several pages or an animation gives
its first picture. The camera's orientation tag (EXIF) is ignored on purpose: tools that
work on frame folders (reconstruction, annotation) use the pixels as they are stored, and
masks must lie on those. Transparency is dropped, not blended.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from moseg.core.errors import InputError
from moseg.core.naming import is_text
from moseg.core.scene import image_files

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def list_frames(folder: Path) -> list[Path]:
    """The frames of an image folder, in natural order. Their stems are the frame names.

    Raises:
        InputError: the folder cannot be listed, holds no image, holds two images of one
            stem, or a name that is no valid text.
    """
    paths = image_files(folder)
    if not paths:
        raise InputError(f"{folder} holds no images; give a folder of frames")
    seen: dict[str, Path] = {}
    for path in paths:
        first = seen.setdefault(path.stem, path)
        if first is not path:
            raise InputError(
                f"{folder} holds {first.name!r} and {path.name!r}, two images of one frame; "
                "keep one of them"
            )
        if not is_text(path.name):
            raise InputError(f"{folder}: the name {path.name!r} is no valid UTF-8 text; rename it")
    return paths


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """Decode one image to RGB, uint8 [H, W, 3].

    16-bit values become v / 257, rounded; grey is repeated in the three channels; palettes
    are looked up; alpha is dropped.

    Raises:
        InputError: the file cannot be read or decoded, or its pixels are neither 8 nor
            16 bit integers.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check the file") from error
    stored = _decode(data)
    if stored is None:
        raise InputError(
            f"{path} is empty, damaged or no image; replace it or take it out of the folder"
        )
    if stored.dtype == np.uint16:
        stored = ((stored.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if stored.dtype != np.uint8:
        raise InputError(f"{path} holds {stored.dtype} pixels; save it with 8 or 16 bit integers")
    return _to_rgb(stored)


def read_images(paths: Sequence[Path]) -> Iterator[npt.NDArray[np.uint8]]:
    """Decode images one after the other, uint8 [H, W, 3]; all must have one size.

    Raises:
        InputError: as `read_image`, or an image has another size than the first.
    """
    size: tuple[int, int] | None = None
    for path in paths:
        frame = read_image(path)
        height, width = frame.shape[:2]
        size = size or (height, width)
        if size != (height, width):
            raise InputError(
                f"{path.parent}: {paths[0].name!r} is {size[1]}x{size[0]} but {path.name!r} is "
                f"{width}x{height}; the frames of one scene must have one size"
            )
        yield frame


def _decode(data: bytes) -> npt.NDArray[np.integer | np.floating] | None:
    """The pixels as stored, any depth and channels; None where they cannot be decoded.

    From bytes, not by path, so that any file name works.
    """
    if not data or (data.startswith(_PNG_SIGNATURE) and not _is_whole_png(data)):
        return None
    with _quiet_decoder():
        try:
            # UNCHANGED keeps 16 bit and also ignores the EXIF orientation.
            return cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            return None


def _is_whole_png(data: bytes) -> bool:
    """Whether all chunks are there and those with pixels undamaged.

    OpenCV would find out too, but libpng then prints to the terminal, past any log level.
    """
    start = len(_PNG_SIGNATURE)
    while start + 12 <= len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4])
        kind, check = data[start + 4 : start + 8], data[end - 4 : end]
        if end > len(data):
            return False
        # A capital marks a chunk that the picture needs.
        if kind[:1].isupper() and zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(check):
            return False
        if kind == b"IEND":
            return True
        start = end
    return False


def _to_rgb(stored: npt.NDArray[np.integer | np.floating]) -> npt.NDArray[np.uint8]:
    channels = 1 if stored.ndim == 2 else stored.shape[2]
    conversion = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}[channels]
    return np.asarray(cv2.cvtColor(stored, conversion), dtype=np.uint8)


@contextmanager
def _quiet_decoder() -> Iterator[None]:
    """Keep OpenCV from printing about damaged files: they are reported as `InputError`."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
