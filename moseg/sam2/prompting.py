"""Prompts of one object from its tracks, and its masks in the frames of a window.

The method of SegAnyMo ("Segment Any Motion in Videos", CVPR 2025).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from moseg.sam2.points import centre_and_ends, inside, medoid
from moseg.sam2.predictor import ObjectPredictor, Prediction
from moseg.sam2.tracks import TrackWindow

_WITHIN = (7, 10)
"""Share of the visible points that the first click's mask holds to be good enough."""


def follow_new(
    target: ObjectPredictor, tracks: TrackWindow, frame: int, interval: int
) -> Iterator[Prediction]:
    """Prompt a new object and yield it in all frames of the window.

    Prompts go to `frame`, then to every `interval`-th frame of the window from its first on,
    where tracks are visible. The object is followed from the earliest of them to the end of
    the window; if that is not the window's first frame, also back to it. The earliest frame
    then comes twice.

    Args:
        target: without prompts.
        tracks: those of the object, some of them visible in `frame`.
        frame: the one they were found in.
    """
    regular = (other for other in range(tracks.start, tracks.stop, interval) if other != frame)
    earliest = min(_prompt(target, tracks, [frame, *regular]))
    yield from target.propagate(range(earliest, tracks.stop))
    if earliest > tracks.start:
        yield from target.propagate(range(earliest, tracks.start - 1, -1))


def follow_carried(
    target: ObjectPredictor, tracks: TrackWindow, interval: int
) -> Iterator[Prediction]:
    """Prompt an object of the window before and yield it in all frames but the first.

    The first frame of the window was the last of the one before: it has its mask, and is not
    prompted.

    Args:
        target: carried from the first frame of the window.
        tracks: those of the object; may be none.
    """
    _prompt(target, tracks, range(tracks.start + interval, tracks.stop, interval))
    yield from target.propagate(range(tracks.start + 1, tracks.stop))


def _prompt(target: ObjectPredictor, tracks: TrackWindow, frames: Sequence[int]) -> list[int]:
    """Click in those frames in which tracks are visible; return these.

    The medoid is clicked first. If the mask holds less than 70 % of the points, the one in the
    middle and the two farthest from it are clicked instead.
    """
    prompted = []
    for frame in frames:
        points = tracks.points(frame)
        if len(points) == 0:
            continue
        chosen = medoid(points)
        mask = target.click(frame, points[chosen : chosen + 1])
        held = int(np.count_nonzero(inside(mask, points)))
        if held * _WITHIN[1] < len(points) * _WITHIN[0]:
            target.click(frame, points[centre_and_ends(points)])
        prompted.append(frame)
    return prompted
