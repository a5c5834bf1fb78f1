"""Which frames of a source are worked on, and at which size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from moseg.core.errors import ConfigError


@dataclass(frozen=True)
class Selection:
    """A limit on the number of frames and on their size; None means no limit.

    Raises:
        ConfigError: a limit below 1.
    """

    max_frames: int | None = None
    max_side: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_frames", "max_side"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}; it must be at least 1")

    def indices(self, total: int) -> tuple[int, ...]:
        """Which of `total` frames are kept: min(total, max_frames) of them, ascending.

        They are spread evenly over the whole clip and hold its first and last frame. (With
        a limit of one frame, it is the first.)
        """
        if self.max_frames is None or total <= self.max_frames:
            return tuple(range(total))
        if self.max_frames == 1:
            return (0,)
        gaps = self.max_frames - 1
        # round(i * (total - 1) / gaps), in whole numbers.
        return tuple((2 * i * (total - 1) + gaps) // (2 * gaps) for i in range(self.max_frames))

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width in pixels after shrinking the longer side to at most `max_side`.

        The shorter side is rounded down, but never below 1. Frames are never enlarged.
        """
        longer = max(height, width)
        if self.max_side is None or longer <= self.max_side:
            return height, width
        return (
            max(1, height * self.max_side // longer),
            max(1, width * self.max_side // longer),
        )


EVERYTHING = Selection()

EFFICIENT = Selection(max_frames=100, max_side=1000)
"""The efficient mode, `--e`."""


def working_size(height: int, width: int, pixels: int = 103_000) -> tuple[int, int]:
    """Height and width of about `pixels` pixels at the same aspect; never larger than given.

    Both are at least 1.
    """
    scale = min(1.0, math.sqrt(pixels / (height * width)))
    return max(1, round(height * scale)), max(1, round(width * scale))
