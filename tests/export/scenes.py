"""Small scenes on disk: masks, and the images that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moseg.export.clips import MaskClip, find_clips
from tests.evaluation.folders import numbered, write_labels
from tests.media import write_images

Labels = NDArray[np.uint8]


def blocks(*ids: int, height: int = 12, width: int = 20) -> Labels:
    """A square of 4 pixels a side for each id, 6 pixels apart; ids past the width start a row."""
    labels = np.zeros((height, width), np.uint8)
    for i, number in enumerate(ids):
        row, column = divmod(i, width // 6)
        labels[6 * row + 1 : 6 * row + 5, 6 * column + 1 : 6 * column + 5] = number
    return labels


def make_clip(
    root: Path, frames: Sequence[Labels], name: str = "walk", suffix: str = ".jpg"
) -> MaskClip:
    """Masks in `root/pred/<name>`, images in `root/images/<name>`, both named 00000 and so on."""
    write_labels(root / "pred" / name, numbered(frames))
    picture = np.full((*frames[0].shape, 3), 90, np.uint8)
    write_images(root / "images" / name, [picture] * len(frames), suffix)
    return find_clips(root / "pred", root / "images", [name])[0]


def pixels(path: Path) -> NDArray[np.integer]:
    """The values of a picture as they are stored."""
    with Image.open(path) as image:
        return np.asarray(image)


def mode(path: Path) -> str:
    """Pillow's name of how a picture is stored."""
    with Image.open(path) as image:
        return image.mode
