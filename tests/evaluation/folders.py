"""Small data sets on disk: folders of masks, one PNG a frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moseg.core.palette import davis_palette

Frame = TypeVar("Frame")


def numbered(frames: Iterable[Frame]) -> dict[str, Frame]:
    """Frames by the stems of DAVIS: 00000, 00001 and so on."""
    return {f"{index:05d}": frame for index, frame in enumerate(frames)}


def write_labels(
    folder: Path, labels: Mapping[str, NDArray[np.uint8]], suffix: str = ".png"
) -> None:
    """Write uint8 [H, W] of each stem as a palette image in the colours of DAVIS."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, frame in labels.items():
        image = Image.fromarray(np.asarray(frame, np.uint8))
        image.putpalette(davis_palette().tobytes())
        image.save(folder / f"{stem}{suffix}")
