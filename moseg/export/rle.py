"""Run-length codes of COCO: a mask as one short text.

The picture is read column by column. The lengths of its runs, the first of them of background,
are numbers in base 32, the lowest digit first, each as one printable character.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Box = list[int]
"""Left, top, width, height in pixels."""

_FIRST = 48  # the character that stands for 0
_MORE = 32  # is added to every digit but the last of a number
_NEGATIVE = 16  # in the last digit: the number is below 0


def encode(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """`{"size": [H, W], "counts": text}` of bool [H, W], as pycocotools reads it from JSON."""
    return {"size": list(mask.shape), "counts": compress(run_lengths(mask))}


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Lengths of the runs of bool [H, W], down the columns; background first, if of length 0."""
    column_by_column = np.ascontiguousarray(mask.T).ravel()
    changes = np.flatnonzero(column_by_column[1:] != column_by_column[:-1]) + 1
    ends = np.concatenate([[0], changes, [mask.size]])
    lengths: list[int] = np.diff(ends).tolist()
    return [0, *lengths] if column_by_column[0] else lengths


def compress(lengths: list[int]) -> str:
    """The text of run lengths. From the fourth on, what a run has more than the one two before
    it is written, which is small where an object's edge is smooth."""
    characters = bytearray()
    for i, length in enumerate(lengths):
        _append(characters, length - lengths[i - 2] if i > 2 else length)
    return characters.decode("ascii")


def bounding_box(mask: NDArray[np.bool_]) -> Box:
    """The smallest box around the True pixels of bool [H, W]; all 0 where there are none."""
    values = np.ascontiguousarray(mask).view(np.uint8)
    return [int(side) for side in cv2.boundingRect(values)]


def _append(characters: bytearray, number: int) -> None:
    """Write `number`, until what is left of it is no more than its sign."""
    while True:
        digit = number & 31
        number >>= 5
        if number == (-1 if digit & _NEGATIVE else 0):
            characters.append(_FIRST + digit)
            return
        characters.append(_FIRST + _MORE + digit)
