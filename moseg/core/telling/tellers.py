"""What a person is told of a run line by line: more of a few scenes, less of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from moseg.core.telling.outcome import is_done, scene_fields, source_frames
from moseg.core.telling.tally import Tally, View

if TYPE_CHECKING:
    from moseg.core.progress import Event

INTERVAL = 10.0
"""Seconds between two lines about something that goes on."""


class Line(NamedTuple):
    """A line, and a style of Rich's for terminals with colours."""

    text: str
    style: str = ""


class Teller:
    """Tells what a person must not miss: failures, second tries, dead workers and notes.

    A scene fails once, however many of its stages do.
    """

    def __init__(self, tally: Tally, clock: Callable[[], float]) -> None:
        self.tally = tally
        self.clock = clock
        self._failed: set[str] = set()

    def lines(self, event: Event) -> Iterator[Line]:
        """Yield what an event is worth, after the tally has taken note of it."""
        if event.kind == "end":
            yield from self._end(event)
        elif event.kind == "scene":
            yield from self._scene(event)
        elif event.kind == "retry":
            reason = event.reason.removeprefix(f"{event.scene}: ")
            where = _where(event)
            on = f" on {where}" if where else ""
            text = f"{event.scene}: {event.stage} failed{on} ({reason}); trying again"
            yield Line(text, "yellow")
        elif event.kind == "worker" and event.reason != "started":
            where = _where(event)
            who = f"worker {where}" if where else f"a {event.stage} worker"
            yield Line(f"{who} {event.reason}", "yellow")

    def _end(self, event: Event) -> Iterator[Line]:
        record = event.record
        if record is None:
            return
        if record.status == "failed" and event.scene not in self._failed:
            self._failed.add(event.scene)
            yield Line(f"error: {record.reason}", "red")
        for note in record.notes:
            yield Line(f"note: {event.scene}: {note}", "yellow")

    def _scene(self, event: Event) -> Iterator[Line]:
        told = event.scene in self._failed
        self._failed.discard(event.scene)
        if event.result is not None and not is_done(event.result) and not told:
            yield Line(f"error: {scene_fields(event.result)['error']}", "red")


class StageTeller(Teller):
    """Tells also when a stage starts and is done."""

    def lines(self, event: Event) -> Iterator[Line]:
        """See `Teller.lines`."""
        record = event.record
        if event.kind == "start":
            reasons = [] if event.reason in ("", "not made yet") else [event.reason]
            reasons += [f"try {event.attempt}"] if event.attempt > 1 else []
            yield Line(f"{event.scene}: {event.stage}" + "".join(f" ({why})" for why in reasons))
        elif event.kind == "end" and record is not None and record.status == "done":
            yield Line(f"{event.scene}: {event.stage} done in {record.seconds:.1f} s", "dim")
        yield from super().lines(event)


class SlowStageTeller(StageTeller):
    """Tells also how far a stage is, every ten seconds; for output that has no live table."""

    def __init__(self, tally: Tally, clock: Callable[[], float]) -> None:
        super().__init__(tally, clock)
        self._told: dict[tuple[str, str], float] = {}

    def lines(self, event: Event) -> Iterator[Line]:
        """See `Teller.lines`."""
        yield from super().lines(event)
        stage, now = (event.scene, event.stage), self.clock()
        if event.kind == "start":
            self._told[stage] = now
        elif event.kind == "progress" and now - self._told.get(stage, now) > INTERVAL:
            self._told[stage] = now
            yield Line(f"{event.scene}: {event.stage} {event.done}/{event.total} frames")


class SceneTeller(Teller):
    """Tells also when a scene is done, and every ten seconds how far the run is."""

    def __init__(self, tally: Tally, clock: Callable[[], float]) -> None:
        super().__init__(tally, clock)
        self._told = clock()

    def lines(self, event: Event) -> Iterator[Line]:
        """See `Teller.lines`."""
        yield from super().lines(event)
        result, now = event.result, self.clock()
        if result is not None and is_done(result) and not result.reused:
            seconds = scene_fields(result)["seconds"]
            yield Line(f"{event.scene}: done ({source_frames(result)} frames, {seconds:.1f} s)")
        if now - self._told > INTERVAL:
            self._told = now
            yield Line(headline(self.tally.view()))


def headline(view: View) -> str:
    """Return how far a run of many scenes is."""
    scenes = [f"{view.done} of {view.total} scenes done", f"{view.running} running"]
    scenes += [f"{view.failed} failed"] if view.failed else []
    scenes += [f"{view.waiting} waiting"] if view.waiting else []
    parts = [", ".join(scenes)]
    if view.frames_per_second:
        parts.append(f"{view.frames_per_second:.1f} frames/s")
    if view.seconds_left is not None:
        parts.append(f"about {rough_time(view.seconds_left)} left")
    return "; ".join(parts)


def rough_time(seconds: float) -> str:
    """Return `40 s`, `6 min`, `2.5 h` or `3.1 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def _where(event: Event) -> str:
    """Return the worker, and its machine if its name does not say it."""
    if not event.worker or not event.node or event.worker.startswith(f"{event.node}:"):
        return event.worker or event.node
    return f"{event.worker} at {event.node}"
