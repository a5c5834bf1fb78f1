"""Objects and their masks from moving tracks: the densifier, whatever predicts the masks.

A video is worked on in windows that share one frame. In each, objects of the window before go
on, the tracks that they leave over are grouped into new ones, and each is prompted and
followed by itself. At the end objects that prove to be one are merged. A video that fits into
one window is done exactly as SegAnyMo does it ("Segment Any Motion in Videos", CVPR 2025), but
for its faults and for the lives of objects (`Life`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.grouping import FEWEST, TrackPool, find_groups
from moseg.sam2.life import Life, holds_track
from moseg.sam2.mask_store import MaskStore
from moseg.sam2.merging import Overlaps
from moseg.sam2.predictor import ObjectPredictor, Prediction, Predictor
from moseg.sam2.prompting import follow_carried, follow_new
from moseg.sam2.segmentation import Segmentation
from moseg.sam2.tracks import TrackSource, TrackWindow

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SegmentSettings:
    """Parameters of the densifier.

    Attributes:
        window: frames worked on together at most, >= 2.
        interval: frames between the prompts of one object, >= 1.
        rounds: clicks that group the tracks of a window at most; see `find_groups`.
        patience: frames for which an object may be unseen, and come back under its id.
    """

    window: int = 200
    interval: int = 16
    rounds: int | None = None
    patience: int = 200


def segment(
    predictor: Predictor,
    tracks: TrackSource,
    frames: int,
    store: MaskStore,
    settings: SegmentSettings | None = None,
    progress: Progress = lambda done, total: None,
) -> Segmentation:
    """Find the moving objects of a scene.

    Memory does not grow with the number of frames, but for some bytes a mask. Without tracks
    there are no objects, and all frames are empty.

    Args:
        predictor: of the scene's masks.
        tracks: the moving tracks, in the predictor's pixels.
        frames: number of frames in the scene, >= 1.
        store: takes the masks; it has the predictor's size, and has to stay open while the
            result paints.
        progress: called with (frames done, frames in all).
    """
    settings = settings or SegmentSettings()
    run = _Run(predictor, tracks, store, settings, lambda done: progress(done, frames))
    for window in windows(frames, settings.window):
        run.work(window, window.stop == frames)
    return Segmentation(run.lives, run.overlaps, store)


def windows(frames: int, longest: int) -> list[range]:
    """Return the fewest windows of `longest` frames at most, as long as each other by and large.

    The last frame of a window is the first of the next.
    """
    if frames < 1 or longest < 2:
        raise ValueError(f"no windows of {longest} frames over {frames}")
    count = max(1, -(-(frames - 1) // (longest - 1)))
    seams = [part * (frames - 1) // count for part in range(count + 1)]
    return [range(first, last + 1) for first, last in pairwise(seams)]


@dataclass
class _Followed:
    """An object of the window worked on."""

    name: int
    predictor: ObjectPredictor
    rows: NDArray[np.intp]
    found: int | None
    """Frame in which it was found; None for one that was carried here."""
    seen: int | None = None
    """Last frame of the video in which it has a mask."""
    alive: bool = False


class _Run:
    """What is known from window to window."""

    def __init__(
        self,
        predictor: Predictor,
        tracks: TrackSource,
        store: MaskStore,
        settings: SegmentSettings,
        progress: Callable[[int], None],
    ) -> None:
        self.lives: dict[int, Life] = {}
        self.overlaps = Overlaps()
        self._predictor = predictor
        self._tracks = tracks
        self._store = store
        self._interval = settings.interval
        self._rounds = settings.rounds
        self._patience = settings.patience
        self._take_all = tracks.total < FEWEST
        self._progress = progress
        self._carried: list[_Followed] = []

    def work(self, frames: range, last: bool) -> None:
        """Do one window; `last` if it is the last."""
        tracks = self._tracks.window(frames)
        if (tracks.start, tracks.stop) != (frames.start, frames.stop):
            raise ValueError(f"tracks of {tracks.start}..{tracks.stop - 1} given for {frames}")
        if len(tracks) or self._carried:
            self._predictor.open_window(frames)
        followed = self._objects(tracks)
        for number, one in enumerate(followed):
            for done in self._follow(one, tracks):
                share = (number + min(1.0, done / len(frames))) / len(followed)
                self._progress(frames.start + int(share * (len(frames) - 1)))
        # The masks of the shared frame are complete only after the next window.
        self._compare([one.name for one in followed if one.alive], frames if last else frames[:-1])
        if not last:
            self._carried = self._carry(followed, frames[-1])
        self._progress(frames.stop if last else frames[-1])

    def _objects(self, tracks: TrackWindow) -> list[_Followed]:
        """The objects to follow: carried ones take their tracks first, the rest is grouped."""
        pool = TrackPool(tracks)
        followed = []
        for one in self._carried:
            rows, _ = pool.take(tracks.start, self._store.get(one.name, tracks.start))
            followed.append(_Followed(one.name, one.predictor, rows, None, one.seen))
        for group in find_groups(pool, self._predictor.click, self._rounds, self._take_all):
            name = len(self.lives) + 1
            self.lives[name] = Life()
            followed.append(_Followed(name, self._predictor.new_object(), group.rows, group.frame))
        return followed

    def _follow(self, one: _Followed, tracks: TrackWindow) -> Iterator[int]:
        """Keep the masks of an object through a window, and see when it lives.

        Yields the number of masks so far.
        """
        own = tracks.part(one.rows)
        if one.found is None:
            predictions = follow_carried(one.predictor, own, self._interval)
        else:
            predictions = follow_new(one.predictor, own, one.found, self._interval)
        alive = []
        for done, prediction in enumerate(predictions, start=1):
            self._keep(one.name, prediction)
            if prediction.mask.any():
                one.seen = max(prediction.frame, one.seen or 0)
            if holds_track(prediction.mask, tracks, prediction.frame):
                alive.append(prediction.frame)
            yield done
        one.alive = bool(alive)
        self.lives[one.name].add(range(tracks.start, tracks.stop), alive)

    def _keep(self, name: int, prediction: Prediction) -> None:
        """Store a mask; where forward and backward passes meet, both together."""
        mask, score = prediction.mask, prediction.score
        if self._store.has(name, prediction.frame):
            mask = mask | self._store.get(name, prediction.frame)
            score = max(score, self._store.score(name, prediction.frame))
        self._store.put(name, prediction.frame, mask, score)

    def _compare(self, names: Sequence[int], frames: range) -> None:
        """Count in which frames the whole masks of objects match."""
        if len(names) > 1:
            for frame in frames:
                self.overlaps.add(names, [self._store.get(name, frame) for name in names])

    def _carry(self, followed: Sequence[_Followed], frame: int) -> list[_Followed]:
        """Carry objects over the last frame of a window.

        Those unseen for long are let go; so are doubles, which belong together with a
        carried one that covers them in that frame, or else they would become more with every
        window. Ids are not lost by that, as doubles are merged.
        """
        masks = {
            one.name: self._store.get(one.name, frame)
            for one in followed
            if self._recent(one, frame)
        }
        kept: list[int] = []
        for name in sorted(masks, key=lambda name: (-np.count_nonzero(masks[name]), name)):
            area = np.count_nonzero(masks[name])
            if not any(
                self.overlaps.together(name, other)
                and 10 * np.count_nonzero(masks[name] & masks[other]) >= 9 * area
                for other in kept
            ):
                kept.append(name)
        carried = [one for one in followed if one.name in kept]
        for one in carried:
            one.predictor.carry(frame)
        return carried

    def _recent(self, one: _Followed, frame: int) -> bool:
        return one.seen is not None and frame - one.seen < self._patience
