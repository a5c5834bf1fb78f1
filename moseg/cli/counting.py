"""Progress of frames that are counted: a bar in a terminal, nothing elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import MofNCompleteColumn

from moseg.cli.bar import Bar


class Counting(Bar):
    """Shows a person how far a count is, on standard error; use as a context manager around it."""

    def __init__(self, what: str, console: Console | None = None) -> None:
        super().__init__(what, MofNCompleteColumn(), console=console)
