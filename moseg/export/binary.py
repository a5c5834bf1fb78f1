"""Binary masks: what most programs read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.export.clips import MaskClip
from moseg.export.places import make_folder, white_where, write_grey
from moseg.export.reshape import Reshape
from moseg.export.written import Written


def write_binary(clips: Sequence[MaskClip], out: Path, shape: Reshape) -> Written:
    """Write `out/<scene>/<frame>.png`, one channel: 255 what moves, 0 the rest.

    Raises:
        InputError: a mask cannot be read.
        OutputError: the place cannot be written.
    """
    folders = []
    for clip in clips:
        folder = make_folder(out / clip.name, clip)
        for frame, labels in clip.all_labels():
            write_grey(folder / f"{frame}.png", white_where(shape.chosen(labels)))
        folders.append(folder)
    return Written(tuple(folders))
