"""Masks of several objects as one picture of ids."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
UInt8 = NDArray[np.uint8]


def paint_order(scores: Mapping[int, float]) -> list[int]:
    """Return ids in the order of painting: what comes later wins where objects overlap.

    The higher score wins; of equal ones, the smaller id.
    """
    return sorted(scores, key=lambda name: (scores[name], -name))


def paint(masks: Mapping[int, Bool], size: tuple[int, int]) -> UInt8:
    """Return ids uint8 [H, W], 0 where there is none.

    Args:
        masks: by id 1..255, bool [H, W], in the order of painting.
        size: H and W.
    """
    ids = np.zeros(size, np.uint8)
    for name, mask in masks.items():
        np.copyto(ids, np.uint8(name), where=mask)
    return ids


def clean_ids(ids: UInt8, specks: int, holes: int) -> UInt8:
    """Return ids uint8 [H, W] without small pieces and holes of any object; see `cleaned`.

    A hole is filled where it is background; what another object shows through stays.
    """
    if specks < 2 and holes < 2:
        return ids
    result = np.zeros_like(ids)
    for name in np.unique(ids[ids > 0]):
        own = ids == name
        kept = cleaned(own, specks, holes)
        result[kept & (own | (ids == 0))] = name
    return result


def cleaned(mask: Bool, specks: int, holes: int) -> Bool:
    """Return a mask, bool [H, W], without small pieces, then without small holes.

    Pieces hang together over corners, holes only over edges. The largest piece (all of them, if
    several are) stays however small it is, so that no object vanishes. What is open to the edge
    of the image is no hole.

    Args:
        specks: pieces of less pixels are removed; 0 for none.
        holes: holes of less pixels are filled; 0 for none.
    """
    if specks < 2 and holes < 2:
        return mask
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if width == 0:
        return mask
    box = np.s_[top : top + height, left : left + width]
    part = mask[box]
    if specks > 1:
        part = _without_specks(part, specks)
    if holes > 1:
        part = _without_holes(part, holes)
    result = np.zeros_like(mask)
    result[box] = part
    return result


def _without_specks(mask: Bool, smallest: int) -> Bool:
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    areas = stats[:count, cv2.CC_STAT_AREA]
    kept = areas >= min(smallest, int(areas[1:].max()))
    kept[0] = False
    return np.asarray(kept[pieces], dtype=bool)


def _without_holes(mask: Bool, smallest: int) -> Bool:
    # With a margin, all that is open to the side is one component, that of the corner.
    around = np.pad(~mask, 1, constant_values=True)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(
        around.astype(np.uint8), connectivity=4
    )
    filled = stats[:count, cv2.CC_STAT_AREA] < smallest
    filled[0] = True
    filled[pieces[0, 0]] = False
    return np.asarray(filled[pieces][1:-1, 1:-1], dtype=bool)
