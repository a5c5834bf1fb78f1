"""What all commands of `moseg eval` do: score, print the table, write files or list frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from moseg.cli.counting import Counting
from moseg.cli.evaluation_options import Request
from moseg.core.cache import write_atomically
from moseg.core.errors import ConfigError, writing_to
from moseg.core.files import published
from moseg.evaluation.pictures import write_curves, write_worst
from moseg.evaluation.report import (
    objects_csv,
    report_csv,
    report_json,
    report_latex,
    report_table,
)
from moseg.evaluation.results import Report
from moseg.evaluation.sequence_lists import parse_sequences
from moseg.evaluation.video_frames import check_images
from moseg.evaluation.worst_frames import worst_frames

_WIDEST = 10_000
"""Columns of a table that is measured without a limit."""


def evaluate(request: Request, protocol: Callable[..., Report]) -> None:
    """Score, and print the table; with `request.out` write files, else list the worst frames.

    Args:
        request: of a person.
        protocol: a function of `moseg.evaluation.protocols`; its own options are bound.
    """
    check_images(request.images)
    _check_out(request)
    names = None if request.sequences is None else parse_sequences(request.sequences)
    with Counting("frames") as counting:
        report = protocol(
            request.pred, request.gt, names, workers=request.workers, progress=counting.update
        )
    _print(report_table(report))
    if request.out is None:
        for line in _worst_lines(report, request.worst):
            typer.echo(line)
        return
    for path in _write(report, request, request.out):
        typer.echo(f"{path}")


def _print(table: Table) -> None:
    """Print a table; wider than the terminal rather than with figures cut off."""
    needed = Console(width=_WIDEST).measure(table).maximum
    Console(width=max(Console().width, needed)).print(table)


def _write(report: Report, request: Request, out: Path) -> list[Path]:
    method = request.name or request.pred.resolve().name
    texts = {
        ".json": json.dumps(report_json(report), indent=1, allow_nan=False) + "\n",
        ".csv": report_csv(report),
        "-objects.csv": objects_csv(report),
        ".tex": report_latex(report, method),
    }
    paths = {out / f"{report.protocol}{suffix}": text for suffix, text in texts.items() if text}
    for path, text in paths.items():
        write_atomically(path, text)
    pictures = [
        *write_curves(report, out),
        *write_worst(report, request.images, request.worst, out),
    ]
    return [*paths, *pictures]


def _worst_lines(report: Report, count: int) -> list[str]:
    frames = worst_frames(report, count)
    if not frames:
        return []
    name = max(len(frame.sequence) for frame in frames)
    stem = max(len(frame.pair.name) for frame in frames)
    return [
        f"worst frames by {frames[0].measure}:",
        *(
            f"  {frame.sequence:<{name}}  {frame.pair.name:<{stem}}  {frame.value:.3f}"
            for frame in frames
        ),
    ]


def _check_out(request: Request) -> None:
    """Refuse what only files need without a place for them, and a place that cannot be written.

    Raises:
        ConfigError: `--images` or `--name` without `--out`.
        OutputError: as `_check_writable`.
    """
    if request.out is not None:
        _check_writable(request.out)
        return
    for given, option, use in (
        (request.images, "--images", "for the pictures"),
        (request.name, "--name", "for the LaTeX row"),
    ):
        if given is not None:
            raise ConfigError(f"{option} is {use} that --out writes; add --out DIR, or leave it")


def _check_writable(out: Path) -> None:
    """Write and remove a file, so that a wrong place is known before the work.

    Raises:
        OutputError: the place cannot be written.
    """
    with writing_to(out):
        out.mkdir(parents=True, exist_ok=True)
    probe = out / ".write-test"
    with published(probe) as partial:
        partial.touch()
    probe.unlink()
