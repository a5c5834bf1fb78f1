"""Which frames of a sequence count: every benchmark leaves out others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from moseg.core.errors import ConfigError, InputError

FrameRuleName = Literal["davis16", "all-frames", "mtnet"]
Item = TypeVar("Item")


@dataclass(frozen=True)
class FrameRule:
    """Which frames count, given as numbers left out at both ends.

    `last` is left out of the mean, `last_of_trend` of recall and decay.
    """

    first: int
    last: int
    last_of_trend: int
    sentence: str

    def scored(self, frames: Sequence[Item], where: object) -> tuple[Item, ...]:
        """The frames that count for the mean.

        Raises:
            InputError: none is left, or none for recall and decay; `where` names the folder.
        """
        if self.trend(len(frames)) < 1:
            raise InputError(
                f"{where}: {len(frames)} frames are too few, none is left to score "
                f"({self.sentence}); use --frames all-frames or leave this sequence out"
            )
        return tuple(frames[self.first : len(frames) - self.last])

    def trend(self, frames: int) -> int:
        """How many of the scored frames count for recall and decay, of `frames` in all."""
        return frames - self.first - self.last_of_trend


FRAME_RULES: dict[str, FrameRule] = {
    "davis16": FrameRule(1, 1, 1, "frames 1..T-2 (first and last left out), as DAVIS-2016"),
    "all-frames": FrameRule(0, 0, 0, "all frames 0..T-1"),
    "mtnet": FrameRule(1, 0, 1, "mean over frames 1..T-1, recall and decay over 1..T-2, as MTNet"),
}


def frame_rule(name: str) -> FrameRule:
    """The rule of a name.

    Raises:
        ConfigError: there is none.
    """
    if name not in FRAME_RULES:
        raise ConfigError(f"frames: {name!r} is unknown; choose one of {', '.join(FRAME_RULES)}")
    return FRAME_RULES[name]
