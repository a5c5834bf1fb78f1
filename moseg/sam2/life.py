"""When an object lives: while moving tracks lie in its masks."""

from __future__ import annotations

from dataclasses import dataclass, field

from moseg.sam2.points import inside
from moseg.sam2.predictor import Bool
from moseg.sam2.tracks import TrackWindow


@dataclass
class Life:
    """The frames of one object's life, known window by window.

    Masks also appear where an object has not yet moved, has gone, or something else took its
    place in the predictor's memory. An object lives from the first to the last frame in which
    a visible moving track, whosesoever, lies in its mask. A window in which no frame has one
    is left out and ends the life there; consecutive windows that have some share one life.

    Attributes:
        windows: those with life, in order of time.
        spans: stretches of life, in order of time, disjoint.
    """

    windows: list[range] = field(default_factory=list)
    spans: list[range] = field(default_factory=list)

    def add(self, window: range, first: int, last: int) -> None:
        """Take a later window; a track lies in the masks of its frames `first` and `last`."""
        if self.windows and self.windows[-1][-1] == window[0]:
            first = self.spans.pop().start
        self.windows.append(window)
        self.spans.append(range(first, last + 1))

    def __contains__(self, frame: object) -> bool:
        """Whether it lives in a frame."""
        return any(frame in span for span in self.spans)

    def reaches(self, frame: int) -> bool:
        """Whether it lives in some frame of a window that holds `frame`."""
        return any(frame in window for window in self.windows)


def holds_track(mask: Bool, tracks: TrackWindow, frame: int) -> bool:
    """Whether some visible track lies in a mask of a frame, bool [H, W]."""
    return bool(inside(mask, tracks.points(frame)).any())
