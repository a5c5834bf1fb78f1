"""The one progress display: live bars in a terminal, plain lines elsewhere.

Both go to standard error, so that standard output stays free for results.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from moseg.core.closing import Closing

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


class Display(Listener, Closing):
    """Shows a run to a person; use as a context manager around it.

    In a terminal each working stage has a bar. Elsewhere there is a line when a stage
    starts, about every ten seconds while it works, and when it ends.
    """

    interval = 10.0

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = _bars(self.console) if self.console.is_terminal else None
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._finished = 0
        self._all: TaskID | None = None

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def close(self) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()

    def handle(self, event: Event) -> None:
        """See `Listener.handle`."""
        if event.kind == "scenes":
            self._begin(event.total)
        elif event.kind == "start":
            self._start(event)
        elif event.kind == "progress":
            self._progress(event)
        elif event.kind == "end":
            self._end(event)
        elif event.kind == "scene":
            self._scene_over(event.scene)

    def note(self, line: str) -> None:
        """See `Listener.note`."""
        self.say(line)

    def say(self, line: str, style: str = "") -> None:
        """Print one line above the bars; the text is shown as it is."""
        # As text: names may hold what Rich takes for markup ([red]) or emoji (:car:).
        self.console.print(Text(line), style=style or None)

    def _begin(self, scenes: int) -> None:
        if self._bars is not None and scenes > 1:
            self._finished = 0
            self._all = self._bars.add_task("all scenes", total=scenes, unit="scenes")

    def _start(self, event: Event) -> None:
        first = event.reason == "not made yet"
        self.say(f"{event.scene}: {event.stage}" + ("" if first else f" ({event.reason})"))
        self._told[event.scene, event.stage] = time.monotonic()
        if self._bars is not None:
            name = f"{event.scene} {event.stage}"
            task = self._bars.add_task(name, total=None, unit="frames")
            self._tasks[event.scene, event.stage] = task

    def _progress(self, event: Event) -> None:
        key = (event.scene, event.stage)
        if self._bars is not None and key in self._tasks:
            self._bars.update(self._tasks[key], completed=event.done, total=event.total)
        elif time.monotonic() - self._told.get(key, 0.0) > self.interval:
            self._told[key] = time.monotonic()
            self.say(f"{event.scene}: {event.stage} {event.done}/{event.total} frames")

    def _end(self, event: Event) -> None:
        record = event.record
        self._remove_bar((event.scene, event.stage))
        if record is None:
            return
        if record.status == "failed":
            self.say(f"error: {record.reason}", "red")
        elif record.status == "done":
            self.say(f"{event.scene}: {event.stage} done in {record.seconds:.1f} s", "dim")
        for note in record.notes:
            self.say(f"note: {event.scene}: {note}", "yellow")

    def _remove_bar(self, key: tuple[str, str]) -> None:
        task = self._tasks.pop(key, None)
        if self._bars is not None and task is not None:
            self._bars.remove_task(task)

    def _scene_over(self, scene: str) -> None:
        self._finished += 1
        for key in [key for key in self._tasks if key[0] == scene]:
            # The stage at which a worker died never ended.
            self._remove_bar(key)
        if self._bars is not None and self._all is not None:
            self._bars.update(self._all, completed=self._finished)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
