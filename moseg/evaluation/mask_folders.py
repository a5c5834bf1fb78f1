"""Folders of masks, one PNG a frame: where they are, what they hold, how one is read."""

from __future__ import annotations

import struct
import zlib
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


def truth_root(folder: Path) -> Path:
    """The folder of sequence folders in `folder`, which may also be a DAVIS root.

    A DAVIS root holds `Annotations/480p/<sequence>/<frame>.png`; its `Annotations` folder
    is taken as well.

    Raises:
        InputError: no such folder.
    """
    _check_folder(folder, "ground truth")
    for inside in (Path("Annotations/480p"), Path("480p")):
        if (folder / inside).is_dir():
            return folder / inside
    return folder


def prediction_root(folder: Path) -> Path:
    """The folder of sequence folders in `folder`, which may also be an output of `moseg run`.

    Such an output holds `masks/<sequence>/<frame>.png`: where `folder/masks` exists it is
    used.

    Raises:
        InputError: no such folder.
    """
    _check_folder(folder, "predictions")
    return folder / "masks" if (folder / "masks").is_dir() else folder


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


def parse_sequences(text: str) -> list[str]:
    """Sequence names from `a,b`, or from a text file with one name a line.

    Blank lines and what follows a `#` are left out.

    Raises:
        InputError: no name is given, or the file cannot be read.
    """
    file = Path(text)
    if file.is_file():
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{file}: cannot be read as a list of sequences; give a text file, one name a line"
            ) from error
        names = [line.partition("#")[0].strip() for line in lines]
    else:
        names = [part.strip() for part in text.split(",")]
    names = [name for name in names if name]
    if not names:
        raise InputError(f"sequences {text!r}: no name in it; write a,b or one name a line")
    return names


def mask_files(folder: Path) -> dict[str, Path]:
    """Frame stem -> PNG file of one sequence, in natural order; hidden files are left out.

    Raises:
        InputError: no such folder, or no PNG in it.
    """
    files = [path for path in _entries(folder) if path.suffix.lower() == ".png"]
    files = [path for path in files if not is_hidden(path)]
    files.sort(key=lambda path: natural_key(path.stem))
    if not files:
        raise InputError(f"{folder}: holds no PNG mask; give a folder with one PNG a frame")
    return {path.stem: path for path in files}


def read_foreground(path: Path) -> NDArray[np.bool_]:
    """Foreground of one mask PNG as bool [H, W]: label or any colour channel above 0.

    Palette images are read by label, so several objects are merged. Alpha is ignored.

    Raises:
        InputError: the file cannot be read as an image.
    """
    try:
        with Image.open(path) as image:
            values = np.asarray(image)
            has_alpha = image.mode in {"LA", "RGBA", "La", "RGBa", "PA"}
    except _UNREADABLE as error:
        raise InputError(
            f"{path}: cannot be read as a PNG mask ({type(error).__name__}); "
            "write this file again or remove it"
        ) from error
    if values.ndim == 2:
        return values > 0
    colours = values[..., :-1] if has_alpha else values
    return np.asarray((colours > 0).any(axis=2))


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
