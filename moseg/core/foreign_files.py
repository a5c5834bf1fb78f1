"""Reading artefacts that another program left: the folders of the reference layout.

Nothing is known of how they were made, so everything is checked while it is read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError


def content_digest(paths: Iterable[Path]) -> str:
    """SHA-256 (64 hexadecimal digits) of the names and contents of files.

    Raises:
        InputError: a file cannot be read.
    """
    total = hashlib.sha256()
    for path in paths:
        with _readable(path).open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        total.update(os.fsencode(path.name) + b"\0" + content)
    return total.hexdigest()


def read_numbers(path: Path, shape: tuple[int | None, ...]) -> NDArray[np.floating]:
    """Return a floating-point `.npy` array; None in `shape` stands for any size.

    Raises:
        InputError: missing, damaged, of another kind or shape, or with values that are not
            numbers.
    """
    try:
        with _readable(path).open("rb") as file:
            array: NDArray[np.floating] = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is damaged or no array; make it again") from error
    if array.dtype.kind != "f":
        raise InputError(f"{path} does not hold floating-point numbers; make it again")
    fits = len(shape) == array.ndim and all(
        want in (None, have) for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = " x ".join("any" if size is None else str(size) for size in shape)
        raise InputError(f"{path} has the shape {array.shape} instead of {wanted}; make it again")
    if not np.isfinite(array).all():
        raise InputError(f"{path} holds values that are not numbers; make it again")
    return array


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path} is missing; make it again, or delete its folder")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read; check its permissions")
    return path
