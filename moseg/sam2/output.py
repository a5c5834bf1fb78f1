"""The artefact of the `masks` stage: one palette PNG for each frame of the source.

Both backends end here, whatever made their masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from moseg.core.census import ObjectCensus
from moseg.core.frame_record import FrameRecord
from moseg.core.mapping import map_to_source
from moseg.core.masks import write_mask_png
from moseg.core.parallel import ordered_map
from moseg.core.stage import Report, Task
from moseg.sam2.painting import clean_ids

UInt8 = NDArray[np.uint8]


def write_masks(
    task: Task, record: FrameRecord, masks: Iterator[UInt8], specks: int, holes: int
) -> ObjectCensus:
    """Map the masks of the selected frames to every frame of the source, clean and write them.

    Args:
        masks: object ids uint8 [H, W] of each selected frame, in order.
        specks, holes: see `clean_ids`; in pixels of the source.
    """
    target = record.target
    census = ObjectCensus(target.names)
    mapped = map_to_source(
        masks, record.target_positions, target.times, target.height, target.width
    )
    named = zip(target.names, mapped, strict=True)

    def write(one: tuple[str, UInt8]) -> UInt8:
        ids = clean_ids(one[1], specks, holes)
        write_mask_png(task.out / f"{one[0]}.png", ids)
        return ids

    for ids in ordered_map(write, named, task.threads):
        census.add(ids)
    return census


def report_of(
    census: ObjectCensus, scores: Mapping[int, float], moving: int, notes: Sequence[str] = ()
) -> Report:
    """Return the scene's summary: id, life, size and score of every object.

    Args:
        moving: number of tracks that move.
    """
    if not census.objects:
        why = f"{moving} tracks move, but make no object" if moving else "nothing moves"
        notes = (f"{why}: all masks are empty", *notes)
    return Report(census.summary(scores), tuple(notes))
