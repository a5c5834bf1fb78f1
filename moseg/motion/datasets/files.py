"""Reading the files of a scene in the reference layout, one at a time, each checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moseg.core.errors import InputError
from moseg.core.foreign_files import read_numbers
from moseg.core.naming import is_hidden, natural_key
from moseg.core.scene import image_files

Size = tuple[int, int]
"""Height and width in pixels."""


def folder_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the folders in `folder`, in natural order; hidden ones are left out.

    Raises:
        InputError: no such folder.
    """
    try:
        found = [path.name for path in folder.iterdir() if path.is_dir() and not is_hidden(path)]
    except OSError as error:
        raise InputError(f"{folder} cannot be listed: {error.strerror}; check the path") from error
    return tuple(sorted(found, key=natural_key))


def image_size(path: Path) -> Size:
    """Return height and width of an image, of which only the head is read.

    Raises:
        InputError: missing, damaged or no image.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is missing, damaged or no image; replace it") from error


def match_masks(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return frame name -> its mask; by name, else by order, where there are as many.

    Raises:
        InputError: no such folder, or frames without a mask.
    """
    files = image_files(folder) if folder.is_dir() else []
    by_name = {path.stem: path for path in files}
    if all(name in by_name for name in names):
        return {name: by_name[name] for name in names}
    if len(files) == len(names):
        return dict(zip(names, files, strict=True))
    if not files:
        raise InputError(f"{folder} is missing or holds no masks; training needs one a frame")
    raise InputError(f"{folder} holds {len(files)} masks, the scene has {len(names)} frames")


def read_mask(path: Path, size: Size) -> NDArray[np.bool_]:
    """Return what moves, bool [H, W]: a label, or any colour channel, above 0.

    Raises:
        InputError: damaged, or of another size than the frames.
    """
    try:
        with Image.open(path) as image:
            values, mode = np.asarray(image), image.mode
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is missing, damaged or no mask; make it again") from error
    if values.ndim == 3 and mode in ("LA", "RGBA", "PA"):
        values = values[..., :-1]
    _check_size(path, values.shape[:2], size)
    above = values > 0
    return np.asarray(above if above.ndim == 2 else above.any(axis=2))


def read_tracks(
    folder: Path, query: str, targets: Sequence[str], rows: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """Return tracks float32 [n, L, 4] of one query frame: x, y and two logits.

    Args:
        folder: of files `<query>_<target>.npy`, floats [count, 4].
        query, targets: names of frames.
        rows: int64 [n], which tracks.

    Raises:
        InputError: a file is missing, damaged, or of another shape.
    """
    tracks = np.empty((len(rows), len(targets), 4), np.float32)
    for at, target in enumerate(targets):
        tracks[:, at] = read_numbers(folder / f"{query}_{target}.npy", (count, 4))[rows]
    return tracks


def _check_size(path: Path, found: tuple[int, ...], size: Size) -> None:
    if found != size:
        raise InputError(
            f"{path} is {found[1]}x{found[0]} pixels, the frames are {size[1]}x{size[0]}; "
            "make both of the same images"
        )
