"""Depth and features that another program left in the reference layout, a frame at a time."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import BackendError, InputError
from moseg.core.foreign_files import read_numbers

FEATURES = "dinos"
"""Name of the data set in an `.h5` file of features."""


def read_depth_image(path: Path, size: tuple[int, int]) -> NDArray[np.uint16]:
    """Return a 16-bit disparity image uint16 [H, W].

    Raises:
        InputError: missing, damaged, of another kind or of another size than the frames.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: every frame needs its depth; make it again")
    stored = cv2.imdecode(np.frombuffer(path.read_bytes() or b"-", np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise InputError(f"{path} is damaged or no image; make it again")
    if stored.dtype != np.uint16 or stored.ndim != 2:
        raise InputError(f"{path} is no 16-bit grey image; make it again")
    if stored.shape != size:
        raise InputError(
            f"{path} is {stored.shape[1]}x{stored.shape[0]} pixels, the frames are "
            f"{size[1]}x{size[0]}; use the same images, with or without --e, as when it was made"
        )
    return np.asarray(stored, np.uint16)


def read_feature_map(folder: Path, name: str, channels: int | None = None) -> NDArray[np.float16]:
    """Return the features of one frame, float16 [h, w, C]; `.npy` is preferred to `.h5`.

    Args:
        folder: of the scene.
        name: of the frame.
        channels: C; None: any.

    Raises:
        InputError: missing, damaged, or with another number of channels.
        BackendError: an `.h5` file, and h5py is not installed.
    """
    array = folder / f"{name}.npy"
    packed = folder / f"{name}.h5"
    if array.is_file() or not packed.is_file():
        return read_numbers(array, (None, None, channels)).astype(np.float16)
    values = read_packed_features(packed)
    if values.ndim != 3 or values.dtype.kind != "f" or channels not in (None, values.shape[2]):
        raise InputError(f"{packed} does not hold features like the other files; make it again")
    if not np.isfinite(values).all():
        raise InputError(f"{packed} holds values that are not numbers; make it again")
    return values.astype(np.float16)


def read_packed_features(path: Path) -> NDArray[np.floating]:
    """Return what an `.h5` file of features holds.

    Raises:
        InputError: damaged, or without features.
        BackendError: h5py is not installed.
    """
    require_h5py(path)
    h5py = importlib.import_module("h5py")
    try:
        with h5py.File(path, "r") as file:
            return np.asarray(file[FEATURES])
    except (OSError, KeyError) as error:
        raise InputError(f"{path} is damaged or holds no features; make it again") from error


def require_h5py(path: Path) -> None:
    """Make sure that h5py is installed, without importing it.

    Raises:
        BackendError: it is not.
    """
    if importlib.util.find_spec("h5py") is None:
        raise BackendError(f"{path} needs the package h5py: pip install h5py, then run again")
