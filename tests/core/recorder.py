"""A listener that remembers what it was told."""

from __future__ import annotations

from moseg.core.progress import Event, Listener


class Recorder(Listener):
    """Keeps all events and notes of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.notes: list[str] = []

    def handle(self, event: Event) -> None:
        self.events.append(event)

    def note(self, line: str) -> None:
        self.notes.append(line)

    def of(self, scene: str, stage: str) -> list[Event]:
        """The events of one stage of one scene."""
        return [event for event in self.events if (event.scene, event.stage) == (scene, stage)]

    @property
    def started(self) -> list[tuple[str, str, str]]:
        """Scene, stage and reason of each computation, in order."""
        return [(e.scene, e.stage, e.reason) for e in self.events if e.kind == "start"]

    @property
    def computed(self) -> dict[str, str]:
        """Stages that were computed, in order, each with the reason that was given."""
        return {stage: reason for _, stage, reason in self.started}
