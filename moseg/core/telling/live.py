"""The live table: how far a run is, and which stages are at work."""

from __future__ import annotations

from itertools import compress

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from moseg.core.telling.tally import Tally, View, Work
from moseg.core.telling.tellers import headline

MOST_ROWS = 12
"""Stages that are shown."""

_BAR = 30
_SHORT_BAR = 12
_GAP = (0, 2, 0, 0)


def live_table(console: Console, tally: Tally) -> RenderableType:
    """Return a table of the run as it is now, that fits the terminal.

    Of one scene alone there are its stages at work. Of several there is also a line about all
    scenes.
    """
    width, height = console.size
    view = tally.view(max(1, min(MOST_ROWS, height - 5)))
    parts: list[RenderableType] = []
    if view.total > 1:
        parts.append(_head(view, width))
    if view.works:
        parts.append(_works(view, width))
    hidden = view.at_work - len(view.works)
    if hidden:
        parts.append(Text(f"and {hidden} more", "dim"))
    return Group(*parts)


def _head(view: View, width: int) -> Table:
    words = Text(headline(view))
    words.highlight_regex(r"\d+ failed", "red")
    cells: list[RenderableType] = [words]
    bar = next((bar for bar in (_BAR, _SHORT_BAR) if bar + len(words) + 4 <= width), 0)
    if bar:
        cells.insert(0, ProgressBar(view.total, view.done + view.failed, width=bar))
    grid = Table.grid(*(Column(overflow="fold") for _ in cells), padding=_GAP)
    grid.add_row(*cells)
    return grid


def _works(view: View, width: int) -> Table:
    """Where the terminal is narrow, columns are left out, and names are cut."""
    columns = [
        (0, Column()),
        (0, Column(style="cyan", no_wrap=True)),
        (60, Column(no_wrap=True)),
        (40, Column(justify="right", no_wrap=True)),
        (0, Column(style="yellow", justify="right", no_wrap=True)),
        (80, Column(style="dim", justify="right", no_wrap=True)),
        (100, Column(style="dim")),
    ]
    fits = [width >= least for least, _ in columns]
    grid = Table.grid(*compress((column for _, column in columns), fits), padding=_GAP)
    for work in view.works:
        cells = _cells(work, view.now, _BAR if width >= 100 else _SHORT_BAR)
        grid.add_row(*compress(cells, fits))
    return grid


def _cells(work: Work, now: float, bar: int) -> list[RenderableType]:
    seconds = max(0.0, now - work.since)
    known = work.total > 0
    left = seconds * (work.total - work.done) / work.done if known and work.done else None
    again = f" (try {work.attempt})" if work.attempt > 1 else ""
    return [
        Text(work.scene, no_wrap=True, overflow="ellipsis"),
        Text(work.stage + again),
        ProgressBar(work.total if known else None, work.done, width=bar),
        Text(f"{work.done}/{work.total} frames" if known else ""),
        Text(clock_time(seconds)),
        Text("" if left is None else f"{clock_time(left)} left"),
        Text(work.worker, no_wrap=True, overflow="ellipsis"),
    ]


def clock_time(seconds: float) -> str:
    """Return `m:ss`, or `h:mm:ss` from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
