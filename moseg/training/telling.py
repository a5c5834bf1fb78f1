"""What a person is told of a training run, line by line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from moseg.core.telling.tellers import INTERVAL, rough_time

Say = Callable[[str], None]


class Telling:
    """Tells how far a training is, at most every ten seconds, and of each validation.

    Args:
        say: prints a line.
        first: steps made before.
        steps: of the whole training.
        clock: seconds from any moment on.
    """

    def __init__(
        self, say: Say, first: int, steps: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._first, self._steps, self._clock = say, first, steps, clock
        self._begun = self._told = clock()

    def step(self, step: int, loss: float) -> None:
        """Tell of the loss, if it is time for a line."""
        now = self._clock()
        if now - self._told < INTERVAL:
            return
        self._told = now
        pace = (step - self._first) / (now - self._begun)
        left = rough_time((self._steps - step) / pace)
        self._say(
            f"step {step}/{self._steps}: loss {loss:.4g}; {pace:.3g} steps/s; about {left} left"
        )

    def validation(self, step: int, measures: Mapping[str, float], best: bool) -> None:
        """Tell of the measures."""
        shown = ", ".join(f"{name} {value:.4g}" for name, value in measures.items())
        self._say(f"step {step}/{self._steps}: {shown}{' (best)' if best else ''}")
