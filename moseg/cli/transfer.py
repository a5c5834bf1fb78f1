"""Progress of a file that is fetched or copied: a live bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from moseg.core.closing import Closing

_MEGABYTE = 1e6


class Transfer(Closing):
    """Shows one transfer to a person, on standard error; use as a context manager around it.

    In a terminal there is a bar. Elsewhere there is a line at the start and about every ten
    seconds.
    """

    interval = 10.0

    def __init__(self, name: str, console: Console | None = None) -> None:
        self.name = name
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = _bars(self.console) if self.console.is_terminal else None
        self._task: TaskID | None = None
        self._told: float | None = None

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
            self._task = self._bars.add_task(self.name, total=None)
        return self

    def close(self) -> None:
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()

    def update(self, done: int, total: int | None) -> None:
        """Show how many bytes there are, and of how many if that is known."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total)
        elif self._told is None or time.monotonic() - self._told > self.interval:
            self._told = time.monotonic()
            whole = f" of {total / _MEGABYTE:.1f}" if total is not None else ""
            self.console.print(f"{self.name}: {done / _MEGABYTE:.1f}{whole} MB", markup=False)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
