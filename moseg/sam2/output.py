"""The artefact of the `masks` stage: one palette PNG for each frame of the source.

Both backends end here, whatever made their masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.census import ObjectCensus
from moseg.core.frame_record import FrameRecord
from moseg.core.mapping import map_to_source
from moseg.core.masks import write_mask_png
from moseg.core.parallel import ordered_map
from moseg.core.stage import Report, Task

UInt8 = NDArray[np.uint8]


def write_masks(task: Task, record: FrameRecord, masks: Iterator[UInt8]) -> ObjectCensus:
    """Map the masks of the selected frames to every frame of the source, and write them.

    Args:
        masks: object ids uint8 [H, W] of each selected frame, in order.
    """
    target = record.target
    census = ObjectCensus(target.names)
    mapped = map_to_source(
        masks, record.target_positions, target.times, target.height, target.width
    )
    named = (
        (task.out / f"{name}.png", ids) for name, ids in zip(target.names, mapped, strict=True)
    )
    for ids in ordered_map(_write, named, task.threads):
        census.add(ids)
    return census


def report_of(
    census: ObjectCensus, scores: Mapping[int, float], notes: Sequence[str] = ()
) -> Report:
    """Return the scene's summary: id, life, size and score of every object."""
    if not census.objects:
        notes = ("nothing moves: all masks are empty", *notes)
    return Report(census.summary(scores), tuple(notes))


def _write(named: tuple[Path, UInt8]) -> UInt8:
    path, ids = named
    write_mask_png(path, ids)
    return ids
