"""What happens in a run, and the one display of it: a live table in a terminal, else lines.

Both go to standard error, so that standard output stays free for results.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from moseg.core.closing import Closing
from moseg.core.telling.live import live_table
from moseg.core.telling.tally import Tally
from moseg.core.telling.tellers import SceneTeller, SlowStageTeller, StageTeller, Teller

if TYPE_CHECKING:
    from moseg.core.execute import StageRecord
    from moseg.core.runner import SceneResult


@dataclass(frozen=True)
class Event:
    """Something that happened in a run, mostly to one stage of one scene.

    Attributes:
        kind: `scenes` (the run begins), `start` (a stage computes), `progress`, `retry` (a stage
            failed and is tried again), `end` (a stage is over, however it went), `scene` (all
            stages of the scene are over), or `worker` (a worker came or went).
        reason: of a `start` why it computes, of a `retry` what went wrong, of a `worker` what
            happened to it.
        done, total: frames, of a `progress`; total scenes, of `scenes`.
        stage: of a `worker` its kind: the stage that it is for, or `cpu`.
        record: of an `end`.
        result: of a `scene`.
        worker, node: who computes, of `start`, `retry` and `worker`, where the runner knows.
        attempt: of a `start` and a `retry`, 1 the first.
    """

    kind: Literal["scenes", "start", "progress", "retry", "end", "scene", "worker"]
    scene: str = ""
    stage: str = ""
    reason: str = ""
    done: int = 0
    total: int = 0
    record: StageRecord | None = None
    result: SceneResult | None = None
    worker: str = ""
    node: str = ""
    attempt: int = 1


class Listener(ABC):
    """Receives the events of a run."""

    @abstractmethod
    def handle(self, event: Event) -> None:
        """Take note of one event; called from one thread at a time."""

    def note(self, line: str) -> None:  # noqa: B027
        """Tell a person something that concerns the run as a whole."""


class Silent(Listener):
    """Ignores everything."""

    def handle(self, event: Event) -> None:
        """Do nothing."""


class Listeners(Listener):
    """Passes everything on to several listeners, in their order."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def handle(self, event: Event) -> None:
        """See `Listener.handle`."""
        for listener in self._listeners:
            listener.handle(event)

    def note(self, line: str) -> None:
        """See `Listener.note`."""
        for listener in self._listeners:
            listener.note(line)


class Display(Listener, Closing):
    """Shows a run to a person; use as a context manager around it.

    In a terminal there is a live table, and elsewhere lines say now and then how far the run
    is: see `moseg.core.telling.live` and `moseg.core.telling.tellers`.

    Args:
        clock: seconds from any moment on.
    """

    few = 20
    """So many scenes are followed stage by stage."""

    def __init__(
        self, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._clock = clock
        self._tally = Tally(clock)
        self._teller = Teller(self._tally, clock)
        self._live: Live | None = None
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self._live = Live(
                console=self.console,
                refresh_per_second=5,
                transient=True,
                get_renderable=lambda: live_table(self.console, self._tally),
            )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def close(self) -> None:
        """Take the table away."""
        if self._live is not None:
            self._live.stop()

    def handle(self, event: Event) -> None:
        """See `Listener.handle`."""
        self._tally.follow(event)
        if event.kind == "scenes":
            self._teller = self._teller_of(event.total)
        for line in self._teller.lines(event):
            self.say(line.text, line.style)

    def note(self, line: str) -> None:
        """See `Listener.note`."""
        self.say(line)

    def say(self, line: str, style: str = "") -> None:
        """Print one line above the table; the text is shown as it is."""
        # As text: names may hold what Rich takes for markup ([red]) or emoji (:car:).
        self.console.print(Text(line), style=style or None)

    def _teller_of(self, scenes: int) -> Teller:
        live, few = self._live is not None, scenes <= self.few
        kinds = {
            (True, True): StageTeller,
            (True, False): Teller,
            (False, True): SlowStageTeller,
            (False, False): SceneTeller,
        }
        return kinds[live, few](self._tally, self._clock)
