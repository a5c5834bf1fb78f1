"""Progress of a file that is fetched or copied: a live bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import DownloadColumn, TransferSpeedColumn

from moseg.cli.bar import Bar

_MEGABYTE = 1e6


class Transfer(Bar):
    """Shows one transfer to a person, on standard error; use as a context manager around it.

    In a terminal there is a bar. Elsewhere there is a line at the start and about every ten
    seconds.
    """

    interval = 10.0

    def __init__(self, name: str, console: Console | None = None) -> None:
        super().__init__(name, DownloadColumn(), TransferSpeedColumn(), console=console)
        self.name = name
        self._told: float | None = None

    def update(self, done: int, total: int | None) -> None:
        """Show how many bytes there are, and of how many if that is known."""
        if self.console.is_terminal:
            super().update(done, total)
        elif self._told is None or time.monotonic() - self._told > self.interval:
            self._told = time.monotonic()
            whole = f" of {total / _MEGABYTE:.1f}" if total is not None else ""
            self.console.print(f"{self.name}: {done / _MEGABYTE:.1f}{whole} MB", markup=False)
