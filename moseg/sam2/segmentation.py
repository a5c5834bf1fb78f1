"""The result of the densifier: merged objects, their lives and scores, painted frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.life import Life
from moseg.sam2.mask_store import MaskStore
from moseg.sam2.merging import Overlaps
from moseg.sam2.painting import paint, paint_order

UInt8 = NDArray[np.uint8]

LARGEST_ID = 255


@dataclass(frozen=True)
class SegmentedObject:
    """One moving object of a scene.

    Attributes:
        id: 1..255.
        score: 0..1, mean over the frames in which it is seen; in each, the highest score of
            the members seen there.
        first_frame, last_frame: where it is first and last seen in its life.
        frames: number of frames in which it is seen.
        members: the objects that were followed and proved to be this one, ascending.
    """

    id: int
    score: float
    first_frame: int
    last_frame: int
    frames: int
    members: tuple[int, ...]


class Segmentation:
    """Moving objects and the picture of their ids in every frame.

    Objects are compared by their whole masks, then cut: a merged object has the masks of all
    its members in the frames in which any of them lives, and none elsewhere; a member lends
    none to windows in which it does not live at all. Ids go up in the order in which objects
    were found, those seen best first. Where objects overlap, the one
    with the higher score is in front; of equal ones, the one with the smaller id.
    """

    def __init__(
        self,
        lives: Mapping[int, Life],
        overlaps: Overlaps,
        store: MaskStore,
    ) -> None:
        """Merge what belongs together; of more than 255 objects, keep those with the best scores.

        Args:
            lives: of the objects that were followed, by their names in `overlaps` and `store`.
            overlaps: of their masks.
            store: their masks; stays open while this paints.
        """
        self._lives = lives
        self._store = store
        groups = overlaps.groups(name for name, life in lives.items() if life.span)
        found = [self._merged(number, members) for number, members in enumerate(groups, start=1)]
        order = paint_order({one.id: one.score for one in found})
        best = set(order[-LARGEST_ID:])
        kept = [one for one in found if one.id in best]
        self.objects = tuple(replace(one, id=number) for number, one in enumerate(kept, start=1))
        self.notes: tuple[str, ...] = ()
        if len(kept) < len(found):
            self.notes = (
                f"{len(found) - len(kept)} of {len(found)} objects are left out, those with the "
                f"lowest scores: masks hold {LARGEST_ID}",
            )
        self._order = [self.objects[number - 1] for number in paint_order(self.scores)]

    @property
    def scores(self) -> dict[int, float]:
        """Score of each object by id."""
        return {one.id: one.score for one in self.objects}

    def paint(self, frame: int) -> UInt8:
        """Return the ids of a frame, uint8 [H, W], 0 for none; may run in several threads."""
        masks = {}
        for one in self._order:
            seen = self._seen(one.members, frame)
            if seen:
                mask = np.logical_or.reduce([self._store.get(name, frame) for name in seen])
                masks[one.id] = mask
        return paint(masks, self._store.size)

    def _merged(self, number: int, members: tuple[int, ...]) -> SegmentedObject:
        """One object of several; each lives in some frame, and is seen there."""
        scores = {}
        for frame in sorted(set().union(*(self._lives[name].span for name in members))):
            seen = self._seen(members, frame)
            if seen:
                scores[frame] = max(self._store.score(name, frame) for name in seen)
        frames = list(scores)
        score = float(np.mean(list(scores.values())))
        return SegmentedObject(number, score, frames[0], frames[-1], len(frames), members)

    def _seen(self, members: tuple[int, ...], frame: int) -> list[int]:
        """The members with a mask in a frame, if one of them lives there."""
        if not any(frame in self._lives[name] for name in members):
            return []
        return [
            name
            for name in members
            if self._lives[name].reaches(frame) and self._store.seen(name, frame)
        ]
