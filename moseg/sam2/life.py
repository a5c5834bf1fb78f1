"""When an object lives: while moving tracks lie in its masks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from moseg.sam2.points import inside
from moseg.sam2.predictor import Bool
from moseg.sam2.tracks import TrackWindow


@dataclass
class Life:
    """The frames of one object's life, known window by window.

    Masks also appear where an object has not yet moved, has gone, or something else took its
    place in the predictor's memory. An object lives from the first to the last frame in which
    a visible moving track, whosesoever, lies in its mask, and it may stop in between: windows
    without any belong to its life if a later one has some.

    Attributes:
        windows: those from the first to the last with life, in order of time.
        span: its life; empty for none.
    """

    windows: list[range] = field(default_factory=list)
    span: range = range(0)
    _waiting: list[range] = field(default_factory=list)

    def add(self, window: range, alive: Collection[int]) -> None:
        """Take the next window in which it was followed.

        Args:
            alive: its frames in which a track lies in the mask.
        """
        if not self.windows and not alive:
            return
        self._waiting.append(window)
        if alive:
            self.windows += self._waiting
            self._waiting.clear()
            first = self.span.start if self.span else min(alive)
            self.span = range(first, max(alive) + 1)

    def __contains__(self, frame: object) -> bool:
        """Whether it lives in a frame."""
        return frame in self.span

    def reaches(self, frame: int) -> bool:
        """Whether it lives in some frame of a window that holds `frame`."""
        return any(frame in window for window in self.windows)


def holds_track(mask: Bool, tracks: TrackWindow, frame: int) -> bool:
    """Whether some visible track lies in a mask of a frame, bool [H, W]."""
    return bool(inside(mask, tracks.points(frame)).any())
