"""How one mask file is read: as one foreground, as object ids, as grey levels or as colours."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moseg.core.errors import InputError

MOST_IDS = 20
"""Objects that a benchmark's annotation has at most; grey pictures have more values."""
MOST_LEVELS = 64
"""Grey values that a mask has at most, also with smoothed edges of several objects."""
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    zlib.error,
    struct.error,
    Image.DecompressionBombError,
)


def read_foreground(path: Path) -> NDArray[np.bool_]:
    """Foreground of one mask file as bool [H, W]: label or any colour channel above 0.

    Palette images are read by label, so several objects are merged. Alpha is ignored.

    Raises:
        InputError: the file cannot be read as an image.
    """
    values, _ = _read(path)
    return _foreground(values)


def read_true_foreground(path: Path) -> NDArray[np.bool_]:
    """The same of a file of the truth in which all that is annotated is foreground.

    Raises:
        InputError: also for a palette image with object ids beside 255: there 255 is void.
    """
    values, mode = _read(path)
    _refuse_void(path, values, mode)
    return _foreground(values)


def object_count(path: Path) -> int:
    """How many objects a file tells apart by ids; 1 where it holds one foreground or grey levels.

    Raises:
        InputError: the file cannot be read as an image.
    """
    values, _ = _read(path)
    ids = np.unique(values[values > 0])
    return len(ids) if values.ndim == 2 and ids.size and ids[-1] <= MOST_IDS else 1


def has_grey_levels(path: Path) -> bool:
    """Whether a file is a picture of grey levels, which is no mask.

    Raises:
        InputError: the file cannot be read as an image.
    """
    values, mode = _read(path)
    return mode == "L" and len(np.unique(values)) > MOST_LEVELS


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Object ids of one mask file as uint8 [H, W]: pixel values of a palette or grey image.

    Raises:
        InputError: the file cannot be read, or holds colours or 16-bit values, which are no
            ids from 0 to 255.
    """
    values, mode = _read(path)
    if values.ndim != 2:
        raise InputError(
            f"{path}: holds colours ({mode}) where object ids are needed; write a palette or "
            "8-bit grey PNG whose pixel values are the ids"
        )
    if values.dtype.itemsize > 1 and values.max() > 255:
        raise InputError(
            f"{path}: holds the id {int(values.max())}, and ids go up to 255; "
            "number the objects of each sequence from 1"
        )
    return values.astype(np.uint8)


def read_half_covered(path: Path) -> NDArray[np.bool_]:
    """Foreground of a mask with smoothed edges as bool [H, W].

    Grey and colour values count from half their range on (above 127), object ids of a palette
    image above 0.

    Raises:
        InputError: the file cannot be read as an image.
    """
    values, mode = _read(path)
    if mode == "P" or values.dtype == np.bool_:
        return _foreground(values)
    above = values > np.iinfo(values.dtype).max // 2
    return np.asarray(above if above.ndim == 2 else above.any(axis=2))


def read_colours(path: Path) -> NDArray[np.uint8]:
    """Colours of one file as uint8 [H, W, 3]: palettes are looked up, grey is repeated.

    Raises:
        InputError: the file cannot be read, or has more than 8 bits.
    """
    with _opened(path) as image:
        if image.mode.startswith(("I", "F")):
            raise InputError(f"{path}: has more than 8 bits a channel; save it with 8")
        return np.asarray(image.convert("RGB"))


def read_size(path: Path) -> tuple[int, int]:
    """Height and width of one file, of which only the head is read.

    Raises:
        InputError: the file cannot be read as an image.
    """
    with _opened(path) as image:
        return image.height, image.width


def read_grey(path: Path) -> NDArray[np.uint8]:
    """Grey codes of one map as uint8 [H, W]: how sure each pixel is foreground, 0 to 255.

    Palette and one-bit images have no such codes: what is above 0 in them is 255.

    Raises:
        InputError: the file cannot be read, or holds colours or 16-bit values.
    """
    return _grey(path, *_read(path))


def read_true_grey(path: Path) -> NDArray[np.uint8]:
    """The same of a file of the truth.

    Raises:
        InputError: also as `read_true_foreground`.
    """
    values, mode = _read(path)
    _refuse_void(path, values, mode)
    return _grey(path, values, mode)


def _read(path: Path) -> tuple[NDArray[np.integer], str]:
    """Pixel values [H, W] or [H, W, C] without alpha, and Pillow's name of the mode."""
    with _opened(path) as image:
        values, mode = np.asarray(image), image.mode
    if values.ndim == 3 and mode in {"LA", "RGBA", "La", "RGBa", "PA"}:
        alpha = values[..., -1]
        if alpha.min() != alpha.max():
            raise InputError(
                f"{path}: its transparency differs from pixel to pixel, and transparency is no "
                "mask; write object ids, or black and white"
            )
        values = values[..., :-1]
    return values, mode


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError:
        raise InputError(f"{path}: no such mask file; check the folder") from None
    except _UNREADABLE as error:
        raise InputError(
            f"{path}: cannot be read as a mask ({type(error).__name__}); "
            "write this file again or remove it"
        ) from error


def _refuse_void(path: Path, values: NDArray[np.integer], mode: str) -> None:
    """Refuse object ids beside 255: in a palette any, in grey such as objects are numbered with."""
    if values.ndim != 2 or values.max() != 255:
        return
    others = values[(values > 0) & (values < 255)]
    if others.size and (mode == "P" or others.max() <= MOST_IDS):
        raise InputError(
            f"{path}: holds object ids beside 255, which is void in DAVIS-2017; give annotations "
            "of DAVIS-2016 (Annotations/480p), or use moseg eval davis17-moving"
        )


def _grey(path: Path, values: NDArray[np.integer], mode: str) -> NDArray[np.uint8]:
    if values.ndim == 3 and (values == values[..., :1]).all():
        values = values[..., 0]  # grey that was saved as red, green and blue
    if values.ndim != 2 or values.dtype.itemsize > 1:
        raise InputError(
            f"{path}: is no 8-bit grey map ({mode}); write maps as grey images of 0 to 255"
        )
    if mode in {"P", "PA", "1"}:
        return np.where(values > 0, 255, 0).astype(np.uint8)
    return values.astype(np.uint8)


def _foreground(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    above = values > 0
    return np.asarray(above if above.ndim == 2 else above.any(axis=2))
