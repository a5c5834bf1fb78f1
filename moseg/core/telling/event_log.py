"""`events.jsonl`: what happened in a run, a line for each event, as it happens."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moseg.core.closing import Closing
from moseg.core.errors import writing_to
from moseg.core.progress import Event, Listener
from moseg.core.scene import Problem
from moseg.core.telling.outcome import json_text, scene_fields, source_frames, stage_fields


class EventLog(Listener, Closing):
    """Adds a JSON object for each event to a file; frames that go by are no event.

    Each has `time` (UTC), `run` (the same for all lines of one run), `event`, and the fields
    that the event has; those of stages and scenes are named as in `run.json`. A line is one
    write at the end of the file: runs of one machine may share a file, and a run that is killed
    has all lines up to then. On a network file system, runs of several machines need a file
    each, since there the end of a file is not the same for all at every moment.

    Args:
        path: the file; its folder is there.
        clock: seconds since 1970.

    Raises:
        OutputError: the file cannot be written, now or at any event.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.run = secrets.token_hex(4)
        self._clock = clock
        with writing_to(path):
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self._end_cut_line()

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def handle(self, event: Event) -> None:
        """See `Listener.handle`."""
        if event.kind != "progress":
            self.write(event.kind, **_fields(event))

    def note(self, line: str) -> None:
        """See `Listener.note`."""
        self.write("note", text=line)

    def problems(self, problems: Iterable[Problem]) -> None:
        """Write down inputs that cannot be used; they never become scenes."""
        for problem in problems:
            self.write("problem", scene=problem.name, error=str(problem.error))

    def write(self, event: str, **fields: Any) -> None:
        """Add a line; fields that say nothing are left out.

        Raises:
            OutputError: the file cannot be written.
        """
        moment = datetime.fromtimestamp(self._clock(), UTC).replace(tzinfo=None)
        told = {name: value for name, value in fields.items() if value not in (None, "", ())}
        head = {"time": f"{moment.isoformat(timespec='milliseconds')}Z", "run": self.run}
        line = json_text({**head, "event": event, **told}) + "\n"
        with writing_to(self.path):
            self._append(line.encode())

    def _append(self, data: bytes) -> None:
        """Write in one go; only a disk that fills up takes a part, and then refuses the rest."""
        while data:
            data = data[os.write(self._file, data) :]

    def _end_cut_line(self) -> None:
        """Begin a new line if the last one was cut, by a full disk or a machine that went off."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            self._append(b"\n")


def _fields(event: Event) -> dict[str, Any]:
    if event.kind == "scenes":
        return {"total": event.total}
    if event.kind == "end" and event.record is not None:
        return {"scene": event.scene, **stage_fields(event.record), "notes": event.record.notes}
    if event.kind == "scene" and event.result is not None:
        frames = source_frames(event.result) or None
        return {"scene": event.scene, **scene_fields(event.result), "frames": frames}
    who = {"worker": event.worker, "node": event.node}
    if event.kind == "worker":
        return {"stage": event.stage, **who, "reason": event.reason}
    place = {"scene": event.scene, "stage": event.stage}
    return {**place, **who, "attempt": event.attempt, "reason": event.reason}
