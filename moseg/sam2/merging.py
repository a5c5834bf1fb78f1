"""Which objects are one: those whose masks coincide or cover each other often enough.

The rule for pairs is SegAnyMo's ("Segment Any Motion in Videos", CVPR 2025). Groups are the
connected components of the pairs, so no object is in two groups and their order is of no
importance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
UInt64 = NDArray[np.uint64]


class Overlaps:
    """Counts, frame by frame, in how many frames the masks of two objects match.

    Two masks match if their intersection is at least 0.9 of one of the two (as it is where it is
    more than 0.9 of their union, the other half of the rule). A pair belongs together if it
    matches in at least 0.3 of the frames in which either has a mask, of those frames in which
    both were looked for: one that is found again in a later window would else never match.
    """

    def __init__(self) -> None:
        self._frames: dict[tuple[int, int], int] = {}
        self._matches: dict[tuple[int, int], int] = {}

    def add(self, names: Sequence[int], masks: Sequence[Bool]) -> None:
        """Count one frame.

        Args:
            names: of the objects that were looked for.
            masks: of each, bool [H, W]; empty where it was not found.
        """
        packed = _packed(masks)
        areas = _areas(packed)
        for first in range(len(names) - 1):
            shared = _areas(packed[first] & packed[first + 1 :])
            for offset, common in enumerate(shared.tolist()):
                second = first + 1 + offset
                pair = _pair(names[first], names[second])
                self._count(pair, int(areas[first]), int(areas[second]), common)

    def _count(self, pair: tuple[int, int], one: int, other: int, common: int) -> None:
        if one + other == 0:
            return
        self._frames[pair] = self._frames.get(pair, 0) + 1
        # In whole numbers, so that exactly nine tenths are what they are.
        if any(area > 0 and 10 * common >= 9 * area for area in (one, other)):
            self._matches[pair] = self._matches.get(pair, 0) + 1

    def together(self, one: int, other: int) -> bool:
        """Whether two objects belong together by themselves."""
        pair = _pair(one, other)
        matches = self._matches.get(pair, 0)
        return matches > 0 and 10 * matches >= 3 * self._frames[pair]

    def groups(self, names: Iterable[int]) -> list[tuple[int, ...]]:
        """Return the objects in groups, each ascending, in the order of their smallest members."""
        left = set(names)
        linked: dict[int, list[int]] = {name: [] for name in left}
        for one, other in self._matches:
            if one in left and other in left and self.together(one, other):
                linked[one].append(other)
                linked[other].append(one)
        found = []
        for name in sorted(left):
            if name in left:
                group = _reached(name, linked)
                left -= group
                found.append(tuple(sorted(group)))
        return found


def _reached(name: int, linked: dict[int, list[int]]) -> set[int]:
    """The objects that links lead to."""
    reached, ahead = {name}, [name]
    while ahead:
        fresh = [other for other in linked[ahead.pop()] if other not in reached]
        reached.update(fresh)
        ahead += fresh
    return reached


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _packed(masks: Sequence[Bool]) -> UInt64:
    """Masks as bits, uint64 [K, n]; every pair is counted exactly and cheaply this way."""
    if not masks:
        return np.zeros((0, 0), np.uint64)
    rows = -(-masks[0].size // 64) * 8
    packed = np.zeros((len(masks), rows), np.uint8)
    for row, mask in zip(packed, masks, strict=True):
        bits = np.packbits(mask)
        row[: len(bits)] = bits
    return packed.view(np.uint64)


def _areas(packed: UInt64) -> NDArray[np.int64]:
    areas: NDArray[np.int64] = np.bitwise_count(packed).sum(axis=1, dtype=np.int64)
    return areas
