"""Masks as KITTI MOTS and MOTSChallenge keep them: class and instance in one 16-bit value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from moseg.core.errors import ConfigError
from moseg.export.clips import MaskClip
from moseg.export.places import make_folder, write_grey
from moseg.export.reshape import Reshape
from moseg.export.written import Written

INSTANCES = 1000
"""The value of a pixel is class * 1000 + instance, so instances are below 1000."""

LAST_CLASS = (2**16 - 1 - 255) // INSTANCES
"""The last class of which all ids of moseg, which go up to 255, fit into 16 bits."""


def write_mots(clips: Sequence[MaskClip], out: Path, shape: Reshape, class_id: int = 1) -> Written:
    """Write `out/<scene>/<frame>.png`, 16 bits: class_id * 1000 + object id, 0 the background.

    Args:
        class_id: that of every object; 1 are cars and 2 pedestrians in MOTS.

    Raises:
        ConfigError: the class does not fit, or ids were to be inverted.
        InputError: a mask cannot be read.
        OutputError: the place cannot be written.
    """
    shape.refuse_invert("mots")
    if not 1 <= class_id <= LAST_CLASS:
        raise ConfigError(
            f"class {class_id}: MOTS keeps class * 1000 + instance in 16 bits; "
            f"choose a class from 1 to {LAST_CLASS}"
        )
    folders = []
    for clip in clips:
        folder = make_folder(out / clip.name, clip)
        for frame, labels in clip.all_labels():
            ids = shape.labels(labels).astype(np.uint16)
            write_grey(folder / f"{frame}.png", np.where(ids > 0, ids + class_id * INSTANCES, 0))
        folders.append(folder)
    return Written(tuple(folders))
