"""One live bar on standard error, in a terminal; elsewhere nothing is shown."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from moseg.core.closing import Closing


class Bar(Closing):
    """Shows a person how far something is; use as a context manager around it.

    Args:
        what: its name.
        columns: what is told between the bar and the time that is left.
        console: where to; None: standard error.
    """

    def __init__(self, what: str, *columns: ProgressColumn, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = _bars(self.console, columns) if self.console.is_terminal else None
        self._task = self._bars.add_task(what, total=None) if self._bars is not None else None

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def close(self) -> None:
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()

    def update(self, done: int, total: int | None) -> None:
        """Show how much is done, and of how much if that is known."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total)


def _bars(console: Console, columns: tuple[ProgressColumn, ...]) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
