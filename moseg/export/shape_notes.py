"""What growing and shrinking did to whole scenes that a person should know of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moseg.export.clips import MaskClip
from moseg.export.reshape import Reshape


def shape_notes(clips: Sequence[MaskClip], shape: Reshape) -> list[str]:
    """Sentences on objects that shrink to nothing, and on pictures that grown objects fill.

    Reads the masks again, where there is something to grow or shrink.

    Raises:
        InputError: a mask cannot be read.
    """
    if shape.grow < 0:
        return [note for clip in clips for note in _vanished(clip, shape)]
    if shape.grow > 0:
        return [note for clip in clips for note in _filled(clip, shape)]
    return []


def _vanished(clip: MaskClip, shape: Reshape) -> list[str]:
    seen, left = np.zeros(256, np.bool_), np.zeros(256, np.bool_)
    for _, labels in clip.all_labels():
        seen[labels] = True
        # One that is left need not be tried again; an object shrinks alike whatever is beside it.
        left[shape.labels(np.where(left[labels], np.uint8(0), labels))] = True
    lost = [str(number) for number in np.flatnonzero(seen & ~left) if number]
    if not lost:
        return []
    return [
        f"{clip.name}: --shrink {-shape.grow} leaves nothing of ids {', '.join(lost)} in any frame"
    ]


def _filled(clip: MaskClip, shape: Reshape) -> list[str]:
    filled = 0
    for _, labels in clip.all_labels():
        moving = (labels > 0).astype(np.uint8)
        filled += not moving.all() and bool(shape.labels(moving).all())
    if not filled:
        return []
    return [
        f"{clip.name}: with --grow {shape.grow} objects fill the whole picture in {filled} of "
        f"{len(clip.files)} frames"
    ]
