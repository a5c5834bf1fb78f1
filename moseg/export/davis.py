"""Masks for the DAVIS-2017 unsupervised benchmark: palette PNGs of at most 20 objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.masks import write_mask_png
from moseg.export.clips import MaskClip
from moseg.export.places import make_folder
from moseg.export.reshape import Reshape
from moseg.export.written import Written

MOST_OBJECTS = 20


def write_davis(clips: Sequence[MaskClip], out: Path, shape: Reshape) -> Written:
    """Write `out/<scene>/<frame>.png`, 8 bits with the 256 DAVIS colours: 0, then 1, 2, ...

    The 20 objects of the largest area over all frames are kept, of equal ones those of the
    lower ids, and numbered from 1 in the order of their ids.

    Raises:
        ConfigError: ids were to be inverted.
        InputError: a mask cannot be read.
        OutputError: the place cannot be written.
    """
    shape.refuse_invert("davis")
    folders, notes = [], []
    for clip in clips:
        areas = _areas(clip, shape)
        kept = _largest(areas)
        numbers = np.zeros(256, np.uint8)
        numbers[kept] = np.arange(1, len(kept) + 1)
        folder = make_folder(out / clip.name, clip)
        for frame, labels in clip.all_labels():
            write_mask_png(folder / f"{frame}.png", numbers[shape.labels(labels)])
        folders.append(folder)
        notes += _notes(clip.name, areas, kept)
    return Written(tuple(folders), tuple(notes))


def _areas(clip: MaskClip, shape: Reshape) -> NDArray[np.int64]:
    """Pixels of each id over all frames, int64 [256]; none of the background."""
    areas = np.zeros(256, np.int64)
    for _, labels in clip.all_labels():
        areas += np.bincount(shape.labels(labels).ravel(), minlength=256)
    areas[0] = 0
    return areas


def _largest(areas: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ids that are kept, in rising order."""
    present = np.flatnonzero(areas)
    order = np.argsort(-areas[present], kind="stable")
    return np.sort(present[order[:MOST_OBJECTS]])


def _notes(scene: str, areas: NDArray[np.int64], kept: NDArray[np.int64]) -> list[str]:
    """What happened to the ids, where they are not what they were."""
    notes = []
    present = np.flatnonzero(areas)
    dropped = np.setdiff1d(present, kept)
    if len(dropped):
        share = areas[dropped].sum() / areas.sum()
        notes.append(
            f"{scene}: DAVIS takes {MOST_OBJECTS} objects of {len(present)}; the smallest "
            f"are left out, ids {_numbers(dropped)}, {100 * share:.1f} % of the area of all"
        )
    if not np.array_equal(kept, np.arange(1, len(kept) + 1)):
        notes.append(f"{scene}: ids {_numbers(kept)} are now 1 to {len(kept)}")
    return notes


def _numbers(ids: NDArray[np.int64]) -> str:
    return ", ".join(map(str, ids))
