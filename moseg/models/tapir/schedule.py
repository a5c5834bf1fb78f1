"""At which resolutions a video is encoded. Needs no PyTorch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from moseg.core.errors import InputError

Resolution = tuple[int, int]
"""Height and width in pixels."""

STRIDE = 8
"""Pixels of a frame to a cell of the lowres grid."""


def resolution_schedule(
    size: Resolution, initial: Resolution, refinements: Sequence[Resolution] | None = None
) -> tuple[Resolution, ...]:
    """Return the resolutions at which a video is encoded: initialisation first, then refinement.

    Args:
        size: of the video.
        initial: the resolution of initialisation.
        refinements: those of refinement; by default `initial` and its doublings up to `size`,
            evenly spread in scale.

    Raises:
        InputError: a resolution is not a multiple of 8.
    """
    schedule = (initial, *(refinements or _doublings(size, initial)))
    for height, width in schedule:
        if height < STRIDE or width < STRIDE or height % STRIDE or width % STRIDE:
            raise InputError(
                f"TAPIR cannot work at {width}x{height} pixels; choose multiples of {STRIDE}"
            )
    return schedule


def _doublings(size: Resolution, initial: Resolution) -> list[Resolution]:
    ratio = [length / start for length, start in zip(size, initial, strict=True)]
    steps = math.ceil(math.log2(max(ratio)))
    if size == initial or steps < 1:
        return [initial]

    def length(side: int, step: int) -> int:
        cells: float = initial[side] * ratio[side] ** (step / steps) / STRIDE
        return STRIDE * math.floor(cells + 1e-9)  # 59.9999999999 are 60

    return [(length(0, step), length(1, step)) for step in range(steps + 1)]
