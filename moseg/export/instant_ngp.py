"""Masks for instant-ngp: pixels that it does not train on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.export.clips import MaskClip
from moseg.export.places import make_folder, white_where, write_grey
from moseg.export.reshape import Reshape
from moseg.export.written import Written


def write_instant_ngp(clips: Sequence[MaskClip], out: Path, shape: Reshape) -> Written:
    """Write `out/<scene>/dynamic_mask_<frame>.png`: 255 (ignored) what moves, else 0.

    instant-ngp looks for `dynamic_mask_<image stem>.png` beside each image, so these files have
    to be copied there.

    Raises:
        InputError: the images are not known, or masks and images differ.
        OutputError: the place cannot be written.
    """
    for clip in clips:
        clip.known_images()
    folders = []
    for clip in clips:
        folder = make_folder(out / clip.name, clip)
        for frame, labels in clip.all_labels():
            write_grey(folder / f"dynamic_mask_{frame}.png", white_where(shape.chosen(labels)))
        folders.append(folder)
    return Written(tuple(folders))
