"""Folders of masks, one file a frame: where they are, what they hold, how one is read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moseg.core.errors import InputError
from moseg.core.naming import is_hidden, natural_key

_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    zlib.error,
    struct.error,
    Image.DecompressionBombError,
)


def truth_root(folder: Path, insides: Sequence[str] = ("Annotations/480p", "480p")) -> Path:
    """The folder of sequence folders in `folder`, which may also be the root of a data set.

    Args:
        folder: as given by a person.
        insides: where a root keeps its sequence folders; the first that is there is taken. By
            default those of DAVIS: `Annotations/480p` of its root, `480p` of `Annotations`.

    Raises:
        InputError: no such folder.
    """
    _check_folder(folder, "ground truth")
    for inside in insides:
        if (folder / inside).is_dir():
            return folder / inside
    return folder


def prediction_root(folder: Path) -> Path:
    """The folder of sequence folders in `folder`, which may also be an output of moseg.

    `moseg run` writes `masks/<sequence>/<frame>.png`, and `run_inference.py --sam2` writes
    `initial_preds/<sequence>/<frame>.png`: where one of these is in `folder` it is used.

    Raises:
        InputError: no such folder.
    """
    _check_folder(folder, "predictions")
    for inside in ("masks", "initial_preds"):
        if (folder / inside).is_dir():
            return folder / inside
    return folder


def sequence_folders(root: Path) -> list[str]:
    """Names of the sequence folders in `root`, in natural order; hidden ones are left out.

    Raises:
        InputError: there are none.
    """
    folders = [path for path in _entries(root) if path.is_dir() and not is_hidden(path)]
    names = sorted((path.name for path in folders), key=natural_key)
    if not names:
        raise InputError(
            f"{root}: holds no sequence folders; give the folder whose sub-folders "
            "hold the PNG masks, one sub-folder a sequence"
        )
    return names


def mask_files(folder: Path, suffixes: Sequence[str] = (".png",)) -> dict[str, Path]:
    """Frame stem -> mask file of one sequence, in natural order; hidden files are left out.

    Args:
        folder: of the sequence.
        suffixes: kinds of files in order of preference: only those of the first kind that is
            there are taken, so that two kinds never mix.

    Raises:
        InputError: no such folder, or no mask in it.
    """
    entries = _entries(folder)
    for suffix in suffixes:
        files = [path for path in entries if path.suffix.lower() == suffix]
        if files:
            break
    files = [path for path in files if not is_hidden(path)]
    files.sort(key=lambda path: natural_key(path.stem))
    if not files:
        kinds = " or ".join(suffix.removeprefix(".").upper() for suffix in suffixes)
        raise InputError(f"{folder}: holds no {kinds} mask; give a folder with one for each frame")
    return {path.stem: path for path in files}


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
    if mode == "P" and values.max() == 255 and np.any((values > 0) & (values < 255)):
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


def _check_folder(folder: Path, role: str) -> None:
    if not folder.exists():
        raise InputError(f"{folder}: no such folder for the {role}; check the path")
    if not folder.is_dir():
        raise InputError(f"{folder}: the {role} must be a folder, this is a file")


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be listed ({error.strerror}); check the path and its permissions"
        ) from error
