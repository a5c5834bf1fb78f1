"""A DAVIS-2016 report as a table for people, and as JSON and CSV for programs.

Pure functions: nothing is printed or written here. Table figures are percent; JSON and CSV
hold shares (0..1) under the column names of the DAVIS tools.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from moseg.evaluation.davis16 import Davis16Report, SequenceScore

MEASURES = ("J&F-Mean", "J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay")


def report_table(report: Davis16Report) -> Table:
    """Table with a row a sequence and a last row of means, in percent.

    The caption holds the frame rule and the notes.
    """
    table = Table(title="DAVIS-2016", caption_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.caption = Text("\n".join(["Scored: " + report.frame_rule, *report.notes]))
    table.add_column("sequence", no_wrap=True)
    table.add_column("frames", justify="right")
    for name in MEASURES:
        table.add_column(name.replace("-", " "), justify="right")
    for score in report.sequences:
        table.add_row(Text(score.name), str(len(score.frames)), *_percent(score))
    table.add_section()
    total = sum(len(score.frames) for score in report.sequences)
    table.add_row("mean", str(total), *_percent(report), style="bold")
    return table


def report_json(report: Davis16Report) -> dict[str, Any]:
    """The whole report, series included, as plain types that `json` can write."""
    return {
        "dataset": "davis16",
        "pred": str(report.pred),
        "gt": str(report.truth),
        "frames": report.frames,
        "frame_rule": report.frame_rule,
        "global": figures(report),
        "sequences": [
            {
                "name": score.name,
                **figures(score),
                "frames": list(score.frames),
                "J": [float(value) for value in score.region_series],
                "F": [float(value) for value in score.boundary_series],
                "missing": list(score.missing),
            }
            for score in report.sequences
        ],
        "notes": list(report.notes),
    }


def report_csv(report: Davis16Report) -> str:
    """CSV text: a heading, a row a sequence, and a last row `global`; shares, 5 decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Sequence", *MEASURES])
    for score in report.sequences:
        writer.writerow([score.name, *_shares(score)])
    writer.writerow(["global", *_shares(report)])
    return text.getvalue()


def figures(part: Davis16Report | SequenceScore) -> dict[str, float]:
    """The seven figures of a sequence or of the whole report, shares by column name."""
    of_region, of_boundary = (
        (statistics.mean, statistics.recall, statistics.decay)
        for statistics in (part.region, part.boundary)
    )
    return dict(zip(MEASURES, (part.j_and_f, *of_region, *of_boundary), strict=True))


def _percent(part: Davis16Report | SequenceScore) -> list[str]:
    return [f"{100 * value:.1f}" for value in figures(part).values()]


def _shares(part: Davis16Report | SequenceScore) -> list[str]:
    return [f"{value:.5f}" for value in figures(part).values()]
