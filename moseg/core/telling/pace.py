"""How fast scenes get done, and how long the rest will take."""

from __future__ import annotations

from collections import deque


class Pace:
    """The pace of late: over five minutes, or over the latest scenes where these took longer.

    The latest scenes are twenty, or twice as many as are at work: a thousand workers that began
    together also finish together, and no moment between two such waves tells their pace. Times
    are seconds of any one clock.

    Args:
        begin: when the first scene began.
    """

    window = 300.0
    fewest = 20

    def __init__(self, begin: float) -> None:
        self._since = begin
        self._last = begin
        self._finished: deque[tuple[float, int]] = deque()
        self._frames = 0
        self._all = 0

    def add(self, now: float, frames: int, running: int) -> None:
        """Count a scene that is over, and its frames; `running` scenes are still at work."""
        self._finished.append((now, frames))
        self._frames += frames
        self._last = now
        self._all += 1
        enough = max(self.fewest, 2 * running)
        while len(self._finished) > enough and self._finished[0][0] < now - self.window:
            self._since, old = self._finished.popleft()
            self._frames -= old

    def frames_per_second(self, now: float, running: int) -> float | None:
        """Return the pace in frames of scenes that are over; None while nothing is known."""
        interval = self._interval(now, running)
        return self._frames / (interval * len(self._finished)) if interval else None

    def seconds_left(self, now: float, running: int, waiting: int) -> float | None:
        """Return how long the scenes that run and wait will take; None where there are none.

        Also None until as many scenes are over as are at work: those that finish first are not
        like the others.
        """
        interval = self._interval(now, running)
        if not interval or self._all < running or not running + waiting:
            return None
        begun = min(now - self._last, interval * running)
        return interval * (running + waiting) - begun

    def _interval(self, now: float, running: int) -> float:
        """Seconds from one finished scene to the next; 0 while nothing is known.

        It grows once those that run are overdue.
        """
        number = len(self._finished)
        if not number:
            return 0.0
        late = (now - self._since) / (number + max(1, running))
        return max((self._last - self._since) / number, late)
