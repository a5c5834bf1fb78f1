"""Where a form writes, and how its pictures reach the disk."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moseg.core.errors import OutputError, writing_to
from moseg.core.files import published
from moseg.evaluation.mask_folders import PREDICTED_IN
from moseg.export.clips import MaskClip

_RUN_LENGTH = 3  # zlib's Z_RLE: fast and small for masks, see moseg.core.masks


def make_folder(folder: Path, clip: MaskClip) -> Path:
    """Make `folder` for what is written of `clip`, and return it.

    Raises:
        OutputError: as `refuse_source`, or it cannot be made.
    """
    refuse_source(folder, clip)
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def refuse_source(place: Path, clip: MaskClip) -> None:
    """Keep what is read of `clip` as it is: also nothing new may lie among the masks.

    Args:
        place: a file or folder that is to be written.

    Raises:
        OutputError: it is the images, lies in a folder that masks are read from, or in one that
            would be taken for it the next time.
    """
    here = place.resolve()
    if clip.images is not None and here == clip.images.scene.source.resolve():
        raise OutputError(
            f"cannot write {place}: what is exported lies there; choose another output folder"
        )
    folder = next(iter(clip.files.values())).parent
    root = folder.parent
    home = root.parent if root.name in PREDICTED_IN else root
    for read in (folder, root, *(home / name for name in PREDICTED_IN)):
        if here.is_relative_to(read.resolve()):
            raise OutputError(
                f"cannot write {place}: it would mix with the masks that are exported, in {root}; "
                "choose another output folder"
            )


def write_grey(path: Path, values: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write [H, W] as a PNG of one channel, of 8 or 16 bits as the values are.

    Equal values give equal bytes. The file appears whole or not at all.

    Raises:
        OutputError: the place cannot be written.
    """
    encoded = io.BytesIO()
    Image.fromarray(values).save(encoded, "PNG", compress_type=_RUN_LENGTH)
    with published(path) as partial:
        partial.write_bytes(encoded.getvalue())


def white_where(chosen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """uint8 [H, W]: 255 where `chosen`, else 0."""
    return np.where(chosen, np.uint8(255), np.uint8(0))


def black_where(chosen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """uint8 [H, W]: 0 where `chosen`, else 255."""
    return np.where(chosen, np.uint8(0), np.uint8(255))
