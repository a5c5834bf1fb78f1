"""A report as a table for people, as JSON and CSV for programs, and as LaTeX for papers.

Pure functions: nothing is printed or written here. Table and LaTeX show percent where the
measure is one (`Measure.percent`); JSON and CSV hold the values as they are, such as shares
(0..1), under the column names of the DAVIS tools. What has no value (NaN) is a dash for people,
null in JSON and an empty cell in CSV.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from moseg.evaluation.results import Figures, Measure, ObjectScore, Report, SequenceScore, Series

_NONE = "–"
_ESCAPED = {
    **{sign: "\\" + sign for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def report_table(report: Report) -> Table:
    """Table with a row a sequence, indented rows for its objects, and a last row of means.

    The caption holds the rules and the notes.
    """
    table = Table(title=report.title, caption_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    rules = [f"{name}: {sentence}" for name, sentence in report.rules.items()]
    table.caption = Text("\n".join([*rules, *report.notes]))
    table.add_column("sequence", no_wrap=True)
    framed = any(score.pairs for score in report.sequences)
    if framed:
        table.add_column("frames", justify="right", no_wrap=True)
    for measure in report.measures:
        table.add_column(measure.name.replace("-", "\n"), justify="right", no_wrap=True)
    for score in report.sequences:
        frames = [str(len(score.pairs))] if framed else []
        table.add_row(Text(score.name), *frames, *_shown(score.figures, report.measures))
        for part in score.objects:
            blank = [""] if framed else []
            shown = _shown(part.figures, report.measures)
            table.add_row(_object_name(part), *blank, *shown, style="dim")
    table.add_section()
    total = [str(sum(len(score.pairs) for score in report.sequences))] if framed else []
    table.add_row("mean", *total, *_shown(report.figures, report.measures), style="bold")
    return table


def report_json(report: Report) -> dict[str, Any]:
    """The whole report, series included, as plain types that `json` can write."""
    return {
        "protocol": report.protocol,
        "title": report.title,
        "pred": str(report.pred),
        "gt": str(report.truth),
        "rules": dict(report.rules),
        "measures": [measure.name for measure in report.measures],
        "figures": _plain_figures(report.figures),
        "sequences": [_plain_sequence(score) for score in report.sequences],
        "notes": list(report.notes),
        "curves": _plain_series(report.curves),
    }


def report_csv(report: Report) -> str:
    """CSV text: a heading, a row a sequence, and a last row `global`; 5 decimals."""
    return _csv(
        ["Sequence", *_names(report)],
        [
            *([score.name, *_cells(score.figures, report)] for score in report.sequences),
            ["global", *_cells(report.figures, report)],
        ],
    )


def objects_csv(report: Report) -> str:
    """CSV text with a row an object; empty where the protocol does not tell objects apart.

    `Matched` is the id in the predictions; empty where none was scored against the object.
    """
    rows = [
        [score.name, part.label, _or_empty(part.matched), *_cells(part.figures, report)]
        for score in report.sequences
        for part in score.objects
    ]
    return _csv(["Sequence", "Object", "Matched", *_names(report)], rows) if rows else ""


def report_latex(report: Report, method: str) -> str:
    """A heading and the row of a method for a booktabs table.

    Above are comments: a line with the rules, and one for each note.
    """
    rules = "; ".join(f"{name}: {sentence}" for name, sentence in report.rules.items())
    told = (f"{report.title}. {rules}", *report.notes)
    comment = "\n".join(f"% {' '.join(text.split())}" for text in told)
    heading = " & ".join(["Method", *(_latex(name) for name in _names(report))])
    figures = (_in_math(text) for text in _shown(report.figures, report.measures))
    row = " & ".join([_latex(method), *figures])
    return f"{comment}\n{heading} \\\\\n\\midrule\n{row} \\\\\n"


def _shown_value(value: float, measure: Measure) -> str:
    """A figure as people read it, see `Measure`; a dash for NaN."""
    if math.isnan(value):
        return _NONE
    return f"{100 * value:.1f}" if measure.percent else f"{value:.{measure.digits}f}"


def _shown(figures: Figures, measures: Sequence[Measure]) -> list[str]:
    return [_shown_value(figures.get(measure.name, math.nan), measure) for measure in measures]


def _object_name(part: ObjectScore) -> Text:
    matched = "nothing" if part.matched is None else str(part.matched)
    return Text(f"  object {part.label} by {matched}")


def _names(report: Report) -> list[str]:
    return [measure.name for measure in report.measures]


def _plain_sequence(score: SequenceScore) -> dict[str, Any]:
    return {
        "name": score.name,
        "figures": _plain_figures(score.figures),
        "frames": [pair.name for pair in score.pairs],
        "missing": list(score.missing),
        "series": _plain_series(score.series),
        "objects": [
            {
                "label": part.label,
                "matched": part.matched,
                "figures": _plain_figures(part.figures),
                "series": _plain_series(part.series),
            }
            for part in score.objects
        ],
    }


def _plain_figures(figures: Figures) -> dict[str, float | None]:
    return {name: _plain(value) for name, value in figures.items()}


def _plain_series(series: Series) -> dict[str, Any]:
    return {name: _plain_values(values) for name, values in series.items()}


def _plain_values(values: NDArray[np.float64]) -> list[float | None]:
    return [_plain(value) for value in np.asarray(values, np.float64).tolist()]


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _cells(figures: Figures, report: Report) -> list[str]:
    values = (figures.get(name, math.nan) for name in _names(report))
    return ["" if math.isnan(value) else f"{value:.5f}" for value in values]


def _or_empty(value: int | None) -> int | str:
    return "" if value is None else value


def _csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue()


def _latex(text: str) -> str:
    """Text as LaTeX prints it: its special characters escaped, on one line."""
    return "".join(_ESCAPED.get(sign, sign) for sign in " ".join(text.split()))


def _in_math(text: str) -> str:
    """A figure with a real minus sign; a dash as LaTeX writes it."""
    if text == _NONE:
        return "--"
    return f"${text}$" if text.startswith("-") else text
