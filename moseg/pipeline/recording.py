"""What a run leaves about itself: `events.jsonl` while it goes on, `run.json` at its end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moseg.core.remote.artefacts import append_text, upload_text
from moseg.core.remote.mirror import Mirror
from moseg.core.shard import Shard
from moseg.core.telling.event_log import EventLog
from moseg.pipeline.report import RunReport


@dataclass(frozen=True)
class Recording:
    """The records of one run.

    Attributes:
        log: takes events as they happen.
    """

    log: EventLog
    _report: Path
    _mirror: Mirror | None

    def save(self, report: RunReport) -> None:
        """Write `run.json`.

        Raises:
            OutputError: the place cannot be written.
        """
        report.save(self._report)
        upload_text(self._mirror, self._report)


@contextmanager
def recording(folder: Path, shard: Shard, mirror: Mirror | None) -> Iterator[Recording]:
    """Open the records in a folder; those of a shard have its name.

    In a store the events arrive when the block ends, after those of earlier runs.

    Raises:
        OutputError: they cannot be written.
    """
    report, events = (folder / shard.file_name(name) for name in ("run.json", "events.jsonl"))
    if mirror is None or mirror.url(folder) is None:
        with EventLog(events) as log:
            yield Recording(log, report, mirror)
        return
    mine = events.with_name(f".{events.name}.{uuid.uuid4().hex}")
    try:
        with EventLog(mine) as log:
            yield Recording(log, report, mirror)
    finally:
        append_text(mirror, mine, events)
