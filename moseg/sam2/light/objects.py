"""Object ids over time: components of the foreground, carried along the flow.

A region that overlaps an id carried from the frame before keeps it; one that overlaps none
takes the id beside it, as when an object comes out behind a pole, or else is new. Ids that
meet in one component stay apart; an object that falls into pieces keeps one id. Pieces that
are near and move as one for several frames are joined, from their start on; regions that one
affine motion does not explain but two do, several frames long, are parted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.sam2.light.affine_motion import motions_agree, split_by_motion
from moseg.sam2.light.nearest import nearest_motion
from moseg.sam2.light.votes import flow_trust

FlowArray = NDArray[np.float16] | NDArray[np.float32]
IdArray = NDArray[np.uint16]
Mask = NDArray[np.bool_]

LARGEST_PROVISIONAL = 65535
LARGEST_ID = 255
# Pairs compared by motion in one frame at most; the largest objects come first.
COMPARED = 12
# Forward-backward confirmation (0..1) above which a carried id counts.
TRUSTED = 0.5
# Pieces this near, as a share of the frame's diagonal, may be one object behind a pole.
NEAR_SHARE = 0.03


@dataclass(frozen=True)
class ObjectSettings:
    """What counts as an object.

    Attributes:
        smallest_area: share of the frame a component needs to found an object, and an object
            needs in its largest frame to survive.
        shortest_life: frames an object must be seen in (fewer in shorter videos).
        longest_gap: frames an id survives without being seen.
        patience: frames of agreement before pieces are joined or parted.
    """

    smallest_area: float = 0.0005
    shortest_life: int = 5
    longest_gap: int = 5
    patience: int = 4


@dataclass
class _Record:
    """What the tracker remembers of one provisional id."""

    first: int
    frames: int = 0
    peak: int = 0
    area: int = 0
    unrest: int = 0


@dataclass
class _State:
    """Ids and their ages, as last seen, per pixel."""

    ids: IdArray
    age: NDArray[np.uint8]
    concord: dict[tuple[int, int], int] = field(default_factory=dict)


class ObjectTracker:
    """Gives provisional ids frame by frame; ``table`` maps them to the final ids."""

    def __init__(self, settings: ObjectSettings | None = None) -> None:
        self._settings = settings or ObjectSettings()
        self._records: dict[int, _Record] = {}
        self._parent: dict[int, int] = {}
        self._state: _State | None = None
        self._frame = -1

    def update(
        self,
        foreground: Mask,
        backward: FlowArray | None,
        reverse: FlowArray | None,
        motion: FlowArray | None,
    ) -> IdArray:
        """Provisional ids of the next frame, uint16 [h, w], 0 for background.

        Args:
            foreground: bool [h, w].
            backward: flow from this frame to the one before, None for the first.
            reverse: flow from the frame before to this one, None for the first.
            motion: flow that tells objects apart (to the next frame, or to the one before),
                None when there is none.
        """
        self._frame += 1
        carried, age = self._carry(foreground.shape, backward)
        trusted = carried
        if backward is not None and reverse is not None and carried.any():
            trusted = np.where(flow_trust(backward, reverse) > TRUSTED, carried, 0)
        ids = self._assign(foreground, carried, trusted.astype(np.uint16), motion)
        self._note(ids)
        if motion is not None:
            self._join(ids, motion)
            ids = self._part(ids, motion)
        seen = ids > 0
        held = np.where(seen, ids, carried).astype(np.uint16)
        fresh = np.where(seen, 0, np.minimum(age, 254) + 1).astype(np.uint8)
        held[fresh > self._settings.longest_gap] = 0
        concord = self._state.concord if self._state else {}
        self._state = _State(held, fresh, concord)
        return ids

    def table(self) -> NDArray[np.uint8]:
        """Final id per provisional id, uint8 [n]: 1.. in order of first appearance, 0 removed.

        Beyond 255 objects the later ones share id 255.
        """
        frames = self._frame + 1
        life = min(self._settings.shortest_life, max(1, frames // 2))
        merged: dict[int, _Record] = {}
        for name, record in self._records.items():
            into = merged.setdefault(self._root(name), _Record(record.first))
            into.first = min(into.first, record.first)
            into.frames = max(into.frames, record.frames)
            into.peak = max(into.peak, record.peak)
        kept = [n for n, r in merged.items() if r.frames >= life and r.peak > 0]
        kept.sort(key=lambda name: (merged[name].first, name))
        final = {name: min(i + 1, LARGEST_ID) for i, name in enumerate(kept)}
        table = np.zeros(max(self._records, default=0) + 1, np.uint8)
        for name in self._records:
            table[name] = final.get(self._root(name), 0)
        return table

    def _root(self, name: int) -> int:
        """The id that ``name`` was joined to."""
        while name in self._parent:
            name = self._parent[name]
        return name

    def _found(self) -> int:
        """A new provisional id; the last one is shared when all are used."""
        name = min(len(self._records) + 1, LARGEST_PROVISIONAL)
        self._records.setdefault(name, _Record(self._frame))
        return name

    def _carry(
        self, size: tuple[int, ...], backward: FlowArray | None
    ) -> tuple[IdArray, NDArray[np.uint8]]:
        """Ids and ages of the frame before, looked up along the flow."""
        if self._state is None or backward is None:
            return np.zeros(size, np.uint16), np.zeros(size, np.uint8)
        column = np.rint(np.arange(size[1]) + backward[..., 0].astype(np.float32))
        row = np.rint(np.arange(size[0])[:, None] + backward[..., 1].astype(np.float32))
        inside = (column >= 0) & (column < size[1]) & (row >= 0) & (row < size[0])
        place = np.where(inside, row * size[1] + column, 0).astype(np.int64)
        ids = np.where(inside, self._state.ids.reshape(-1)[place], 0)
        return ids.astype(np.uint16), self._state.age.reshape(-1)[place]

    def _assign(
        self, foreground: Mask, carried: IdArray, trusted: IdArray, motion: FlowArray | None
    ) -> IdArray:
        """Every foreground pixel takes the nearest and likest moving id of its component.

        What the flow uncovers is looked up in the thing that covered it: only ids whose flow
        is confirmed count, unless a component has no other.
        """
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(
            foreground.astype(np.uint8), connectivity=8
        )
        ids = np.zeros(foreground.shape, np.uint16)
        floor = max(1.0, self._settings.smallest_area * foreground.size)
        for piece in range(1, count):
            left, top, width, height, area = (int(v) for v in stats[piece, :5])
            box = np.s_[top : top + height, left : left + width]
            inside = pieces[box] == piece
            known = np.where(inside, trusted[box], 0)
            if not known.any():
                known = np.where(inside, carried[box], 0)
            names = self._substantial(known, area)
            if not names:
                name = self._neighbour(pieces == piece, carried)
                if name or area >= floor:
                    ids[box][inside] = name or self._found()
                continue
            seeds = np.where(np.isin(known, names), known, 0).astype(np.uint16)
            if len(names) == 1:
                ids[box][inside] = names[0]
            else:
                flow = None if motion is None else motion[box]
                ids[box][inside] = nearest_motion(seeds, names, flow)[inside]
        return ids

    def _neighbour(self, piece: Mask, carried: IdArray) -> int:
        """The id most present around a new piece, 0 for none.

        What comes out behind a pole belongs to the object on the other side of it; should it
        move differently, it is parted later.
        """
        side = 2 * max(2, round(NEAR_SHARE * float(np.hypot(*piece.shape)))) + 1
        around = cv2.dilate(piece.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        known = carried[around & (carried > 0)]
        return int(np.bincount(known).argmax()) if known.size else 0

    def _substantial(self, known: IdArray, area: int) -> list[int]:
        """Carried ids that hold enough of a component to live on in it."""
        names, sizes = np.unique(known[known > 0], return_counts=True)
        if len(names) == 0:
            return []
        floor = max(1.0, min(0.02 * area, 0.25 * float(sizes.max())))
        kept = [int(n) for n, s in zip(names, sizes, strict=True) if s >= floor]
        roots: dict[int, int] = {}
        for name in kept:
            roots.setdefault(self._root(name), name)
        return sorted(self._root(name) for name in roots.values()) if len(roots) == 1 else kept

    def _note(self, ids: IdArray) -> None:
        """Count the life and the size of the ids seen."""
        names, areas = np.unique(ids[ids > 0], return_counts=True)
        floor = max(1.0, self._settings.smallest_area * ids.size)
        for name, area in zip(names.tolist(), areas.tolist(), strict=True):
            record = self._records[name]
            record.frames += 1
            record.area += area
            if area >= floor:
                record.peak = max(record.peak, area)

    def _join(self, ids: IdArray, motion: FlowArray) -> None:
        """Join ids that are near and have moved as one for long; note pairs that have not."""
        names, areas = np.unique(ids[ids > 0], return_counts=True)
        order = sorted(zip(areas.tolist(), names.tolist(), strict=True), reverse=True)[:COMPARED]
        masks = {name: ids == name for _, name in order}
        side = 2 * max(2, round(NEAR_SHARE * float(np.hypot(*ids.shape)))) + 1
        near = np.ones((side, side), np.uint8)
        concord = self._state.concord if self._state else {}
        listed = [name for _, name in order]
        for i, name in enumerate(listed):
            grown = cv2.dilate(masks[name].astype(np.uint8), near) > 0
            for other in listed[i + 1 :]:
                roots = self._root(name), self._root(other)
                if roots[0] == roots[1]:
                    continue
                pair = min(roots), max(roots)
                agree = motions_agree(masks[name], masks[other], motion)
                near_by = bool((grown & masks[other]).any())
                if agree and not near_by:
                    continue
                limit = self._settings.patience
                score = concord.get(pair, 0) + (1 if agree else -1)
                concord[pair] = min(limit, max(-8 * limit, score))
                if concord[pair] >= limit:
                    self._parent[pair[1]] = pair[0]
                    del concord[pair]

    def _part(self, ids: IdArray, motion: FlowArray) -> IdArray:
        """Give a new id to the smaller of two layers that have disagreed for long."""
        floor = 4 * self._settings.smallest_area * ids.size
        for name, area in zip(*np.unique(ids[ids > 0], return_counts=True), strict=True):
            record = self._records[int(name)]
            if area < floor:
                continue
            layer = split_by_motion(ids == name, motion)
            record.unrest = max(0, record.unrest + (1 if layer is not None else -1))
            if layer is not None and record.unrest >= self._settings.patience:
                ids = ids.copy()
                ids[layer] = self._found()
                record.unrest = 0
        return ids
