"""Virtual time, in which the real driver runs.

What the driver computes takes its real CPU time; what Ray costs it is added as measured. Both
move the virtual clock on, so that a driver which cannot keep up is seen to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from moseg.core.claims import Claim, ClaimedScenes
from moseg.core.scene import Scene


@dataclass(frozen=True)
class RayCosts:
    """Seconds of the driver's thread that Ray, and claims, take.

    Attributes:
        submit, get: for each call.
        wait, wait_each: for each wait, and more for each pending reference.
        node: for each node whenever the nodes are looked at.
        claim: to claim a scene and give it back.
    """

    submit: float
    get: float
    wait: float
    wait_each: float
    node: float
    claim: float


class VirtualClock:
    """Seconds that go by as the driver computes, and leap while it waits.

    Attributes:
        busy: seconds that the driver was at work.
    """

    def __init__(self) -> None:
        self.busy = 0.0
        self._now = 0.0
        self._mark = time.thread_time()

    def __call__(self) -> float:
        """Return the time."""
        mark = time.thread_time()
        self.spend(mark - self._mark)
        self._mark = mark
        return self._now

    def spend(self, seconds: float) -> None:
        """Let the driver be at work for some time."""
        self.busy += seconds
        self._now += seconds

    def leap(self, moment: float) -> None:
        """Let the driver wait until a moment; it may be past."""
        self._now = max(self._now, moment)

    @contextmanager
    def stopped(self) -> Iterator[float]:
        """Yield the time; what is computed in the block is not the driver's work."""
        yield self()
        self._mark = time.thread_time()


class FreeScenes(ClaimedScenes):
    """Scenes that nobody else wants, at the cost of claiming them."""

    def __init__(self, number: int, clock: VirtualClock, cost: float, template: Scene) -> None:
        self._left = iter(range(number))
        self._number = number
        self._clock = clock
        self._cost = cost
        self._template = template

    def __len__(self) -> int:
        """See `ClaimedScenes`."""
        return self._number

    def next(self) -> tuple[Scene, Claim | None] | None:
        """See `ClaimedScenes.next`."""
        self._number -= 1
        self._clock.spend(self._cost)
        return replace(self._template, name=f"scene-{next(self._left):06d}"), None
