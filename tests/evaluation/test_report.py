"""The report as table, JSON, CSV and LaTeX says the same figures and its rules."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from moseg.evaluation.frame_pairs import FramePair
from moseg.evaluation.report import (
    objects_csv,
    report_csv,
    report_json,
    report_latex,
    report_table,
)
from moseg.evaluation.results import Measure, ObjectScore, Report, SequenceScore

MEASURES = (Measure("J&F-Mean"), Measure("J-Decay"), Measure("MAE", percent=False))
FIGURES = {"J&F-Mean": 0.625, "J-Decay": -0.125, "MAE": 0.0625}
CELLS = ["0.62500", "-0.12500", "0.06250"]
NOTHING = {"J&F-Mean": 0.0, "J-Decay": math.nan, "MAE": math.nan}


@pytest.fixture
def report() -> Report:
    pairs = (
        FramePair("00001", (Path("gt/00001.png"),), None),
        FramePair("00002", (Path("gt/00002.png"),), Path("pred/00002.png")),
    )
    objects = (
        ObjectScore(1, 3, FIGURES, {"J": np.array([0.25, 0.75])}),
        ObjectScore(2, None, NOTHING, {"J": np.array([0.0, math.nan])}),
    )
    series = {"J": np.array([0.25, 0.75])}
    return Report(
        protocol="davis17-moving",
        title="DAVIS17-Moving",
        pred=Path("pred"),
        truth=Path("gt"),
        rules={"frames": "frames 1..T-2", "void": "100% left out"},
        measures=MEASURES,
        figures=FIGURES,
        sequences=(SequenceScore("dog[bold]", FIGURES, pairs, series, objects),),
        notes=("dog: 1 of 2 frames have no prediction",),
        curves={"F": np.array([0.5, math.nan])},
    )


def without_objects(report: Report) -> Report:
    return replace(report, sequences=(replace(report.sequences[0], objects=()),))


def printed(report: Report) -> list[str]:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(report_table(report))
    return capture.get().splitlines()


def test_table_shows_figures_objects_rules_and_notes(report: Report) -> None:
    lines = printed(report)
    rows = [" ".join(line.split()) for line in lines]
    assert "dog[bold] 2 62.5 -12.5 0.062" in rows
    assert "object 1 by 3 62.5 -12.5 0.062" in rows
    assert "object 2 by nothing 0.0 – –" in rows
    assert "mean 2 62.5 -12.5 0.062" in rows
    assert "frames: frames 1..T-2" in rows
    assert "void: 100% left out" in rows
    assert "dog: 1 of 2 frames have no prediction" in rows
    assert any(line.startswith("   object 1") for line in lines), "objects are indented"


def test_table_counts_no_frames_where_the_protocol_has_none(report: Report) -> None:
    bare = replace(report, sequences=(SequenceScore("dog", FIGURES),))
    rows = [" ".join(line.split()) for line in printed(bare)]
    assert "dog 62.5 -12.5 0.062" in rows
    assert not any("frames" in row for row in rows[:5])


def test_json_holds_everything_and_can_be_written(report: Report) -> None:
    stored = json.loads(json.dumps(report_json(report), allow_nan=False))
    assert stored["protocol"] == "davis17-moving"
    assert stored["title"] == "DAVIS17-Moving"
    assert (stored["pred"], stored["gt"]) == ("pred", "gt")
    assert stored["measures"] == ["J&F-Mean", "J-Decay", "MAE"]
    assert stored["figures"] == FIGURES
    assert stored["rules"] == report.rules
    assert stored["notes"] == list(report.notes)
    assert stored["curves"] == {"F": [0.5, None]}
    (sequence,) = stored["sequences"]
    assert sequence["name"] == "dog[bold]"
    assert sequence["figures"] == FIGURES
    assert sequence["series"] == {"J": [0.25, 0.75]}
    assert sequence["frames"] == ["00001", "00002"]
    assert sequence["missing"] == ["00001"]
    found, lost = sequence["objects"]
    assert found == {"label": 1, "matched": 3, "figures": FIGURES, "series": {"J": [0.25, 0.75]}}
    assert (lost["label"], lost["matched"]) == (2, None)
    assert lost["figures"] == {"J&F-Mean": 0.0, "J-Decay": None, "MAE": None}
    assert lost["series"] == {"J": [0.0, None]}


def test_csv_has_a_row_a_sequence_and_a_global_row(report: Report) -> None:
    heading, dog, everything = csv.reader(report_csv(report).splitlines())
    assert heading == ["Sequence", "J&F-Mean", "J-Decay", "MAE"]
    assert dog == ["dog[bold]", *CELLS]
    assert everything == ["global", *CELLS]


def test_csv_of_objects_names_what_was_matched(report: Report) -> None:
    heading, found, lost = csv.reader(objects_csv(report).splitlines())
    assert heading == ["Sequence", "Object", "Matched", "J&F-Mean", "J-Decay", "MAE"]
    assert found == ["dog[bold]", "1", "3", *CELLS]
    assert lost == ["dog[bold]", "2", "", "0.00000", "", ""]


def test_csv_of_objects_is_empty_without_objects(report: Report) -> None:
    assert objects_csv(without_objects(report)) == ""


def test_latex_has_rules_a_heading_and_an_escaped_row(report: Report) -> None:
    comment, note, heading, rule, row = report_latex(report, r"our_net & \x 50%").splitlines()
    assert note == "% dog: 1 of 2 frames have no prediction"
    assert comment.startswith("% DAVIS17-Moving. frames: frames 1..T-2; void: 100% left out")
    assert heading == r"Method & J\&F-Mean & J-Decay & MAE \\"
    assert rule == r"\midrule"
    assert row == r"our\_net \& \textbackslash{}x 50\% & 62.5 & $-12.5$ & 0.062 \\"


def test_latex_shows_what_has_no_value_as_a_dash(report: Report) -> None:
    row = report_latex(replace(report, figures=NOTHING), "ours").splitlines()[-1]
    assert row == r"ours & 0.0 & -- & -- \\"


def test_counts_are_shown_without_digits(report: Report) -> None:
    counted = replace(
        report, measures=(Measure("Found", percent=False, digits=0),), figures={"Found": 14.0}
    )
    assert "mean 2 14" in [" ".join(line.split()) for line in printed(counted)]
    assert report_latex(counted, "ours").endswith("ours & 14 \\\\\n")


def test_figures_that_a_part_lacks_are_dashes(report: Report) -> None:
    """Some measures exist for the whole set alone."""
    bare = replace(without_objects(report), sequences=(SequenceScore("dog", {"J-Decay": 0.5}),))
    assert "dog – 50.0 –" in [" ".join(line.split()) for line in printed(bare)]
    assert "dog,,0.50000," in report_csv(bare).splitlines()
