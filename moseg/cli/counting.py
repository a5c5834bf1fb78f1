"""Progress of frames that are counted: a bar in a terminal, nothing elsewhere."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from moseg.core.closing import Closing


class Counting(Closing):
    """Shows a person how far a count is, on standard error; use as a context manager around it."""

    def __init__(self, what: str, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._bars = _bars(console) if console.is_terminal else None
        self._task = self._bars.add_task(what, total=None) if self._bars is not None else None

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def close(self) -> None:
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()

    def update(self, done: int, total: int) -> None:
        """Show how many are done, and of how many."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
