"""How far a run is: scenes that are over, and stages that are at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from moseg.core.telling.outcome import is_done, source_frames
from moseg.core.telling.pace import Pace

if TYPE_CHECKING:
    from moseg.core.progress import Event


@dataclass
class Work:
    """A stage of a scene at work since a moment; `total` is 0 while its frames are not known."""

    scene: str
    stage: str
    since: float
    worker: str = ""
    attempt: int = 1
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class View:
    """A run at one moment.

    Attributes:
        now: the moment, on the clock of `Work.since`.
        total, done, failed, running: scenes.
        at_work: stages.
        works: those that began first, as many as were asked for; stages of a scene together.
        frames_per_second, seconds_left: see `Pace`; None while nothing is known.
    """

    now: float
    total: int
    done: int
    failed: int
    running: int
    at_work: int
    works: tuple[Work, ...]
    frames_per_second: float | None
    seconds_left: float | None

    @property
    def waiting(self) -> int:
        """Scenes that have not begun."""
        return max(0, self.total - self.done - self.failed - self.running)


class Tally:
    """Follows a run. Events come from one thread, looks at it may come from another.

    An event costs the same however many scenes there are.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._begin(0)

    def _begin(self, scenes: int) -> None:
        self._total = scenes
        self._done = 0
        self._failed = 0
        self._running: dict[str, dict[str, Work]] = {}
        self._pace: Pace | None = None

    def follow(self, event: Event) -> None:
        """Take note of an event."""
        with self._lock:
            if event.kind == "progress":
                self._progress(event)
            elif event.kind == "start":
                self._start(event)
            elif event.kind in ("end", "retry"):
                self._running.get(event.scene, {}).pop(event.stage, None)
            elif event.kind == "scene":
                self._scene_over(event)
            elif event.kind == "scenes":
                self._begin(event.total)

    def view(self, rows: int = 0) -> View:
        """Return how far the run is now, with at most `rows` of the stages at work."""
        with self._lock:
            now, running = self._clock(), len(self._running)
            works = chain.from_iterable(stages.values() for stages in self._running.values())
            view = View(
                now=now,
                total=self._total,
                done=self._done,
                failed=self._failed,
                running=running,
                at_work=sum(map(len, self._running.values())),
                works=tuple(map(replace, islice(works, rows))),
                frames_per_second=None,
                seconds_left=None,
            )
            if self._pace is None:
                return view
            return replace(
                view,
                frames_per_second=self._pace.frames_per_second(now, running),
                seconds_left=self._pace.seconds_left(now, running, view.waiting),
            )

    def _start(self, event: Event) -> None:
        now = self._clock()
        if self._pace is None:
            self._pace = Pace(now)
        work = Work(event.scene, event.stage, now, event.worker, event.attempt)
        self._running.setdefault(event.scene, {})[event.stage] = work

    def _progress(self, event: Event) -> None:
        work = self._running.get(event.scene, {}).get(event.stage)
        if work is not None:
            work.done, work.total = event.done, event.total

    def _scene_over(self, event: Event) -> None:
        good = event.result is not None and is_done(event.result)
        self._done += good
        self._failed += not good
        begun = self._running.pop(event.scene, None)
        if begun is not None and self._pace is not None:  # else all of it was there already
            frames = source_frames(event.result) if good and event.result else 0
            self._pace.add(self._clock(), frames, len(self._running))
