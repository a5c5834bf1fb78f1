"""Sizes of pictures, told from their heads: all files are looked at before anything is written."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from moseg.core.errors import InputError
from moseg.core.images import read_image
from moseg.evaluation.mask_images import read_labels

Size = tuple[int, int]
"""Height and width in pixels."""

_OF_IDS = frozenset({"1", "L", "P"})
"""Pillow's names of the modes whose values are ids from 0 to 255."""
_UNKNOWN = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)


def mask_size(path: Path) -> Size:
    """Size of a file of object ids; the checksums of all of it are tried.

    What is unusual or damaged is decoded, which tells what is wrong with it.

    Raises:
        InputError: as `read_labels`.
    """
    try:
        with Image.open(path) as image:
            image.verify()
            if image.mode in _OF_IDS:
                return image.height, image.width
    except _UNKNOWN:
        pass
    height, width = read_labels(path).shape
    return height, width


def image_size(path: Path) -> Size:
    """Size of an image. Kinds that Pillow does not know are decoded.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except _UNKNOWN:
        height, width = read_image(path).shape[:2]
        return height, width


def common_size(paths: Sequence[Path], size_of: Callable[[Path], Size]) -> Size:
    """The size that all files of a scene have.

    Raises:
        InputError: one has another size than the first, or as `size_of`.
    """
    first = size_of(paths[0])
    for path in paths[1:]:
        size = size_of(path)
        if size != first:
            (height, width), (tall, wide) = first, size
            raise InputError(
                f"{path} is {wide}x{tall} but {paths[0].name}, the first of this scene, is "
                f"{width}x{height}; all files of a scene must have one size"
            )
    return first
