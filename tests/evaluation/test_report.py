"""The report as table, JSON and CSV says the same figures and its rule."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from moseg.evaluation.davis16 import Davis16Report, SequenceScore
from moseg.evaluation.measures import Statistics
from moseg.evaluation.report import MEASURES, report_csv, report_json, report_table


@pytest.fixture
def report() -> Davis16Report:
    region, boundary = Statistics(0.5, 0.25, -0.125), Statistics(0.75, 1.0, 0.0625)
    score = SequenceScore(
        name="dog[bold]",
        region=region,
        boundary=boundary,
        frames=("00001", "00002"),
        region_series=np.array([0.25, 0.75]),
        boundary_series=np.array([0.5, 1.0]),
        missing=("00001",),
    )
    return Davis16Report(
        pred=Path("pred"),
        truth=Path("gt"),
        frames="davis16",
        frame_rule="frames 1..T-2",
        sequences=(score,),
        region=region,
        boundary=boundary,
        notes=("dog: 1 of 2 frames have no prediction",),
    )


def test_table_shows_figures_rule_and_notes(report: Davis16Report) -> None:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(report_table(report))
    text = capture.get()
    row = next(line for line in text.splitlines() if "dog[bold]" in line)
    for figure in ("62.5", "50.0", "25.0", "-12.5", "75.0", "100.0", "6.2"):
        assert figure in row
    assert "frames 1..T-2" in text
    assert "1 of 2 frames have no prediction" in text


def test_json_holds_everything_and_can_be_written(report: Davis16Report) -> None:
    stored = json.loads(json.dumps(report_json(report), allow_nan=False))
    assert stored["global"] == dict(
        zip(MEASURES, (0.625, 0.5, 0.25, -0.125, 0.75, 1.0, 0.0625), strict=True)
    )
    assert stored["frame_rule"] == "frames 1..T-2"
    assert stored["notes"] == list(report.notes)
    (sequence,) = stored["sequences"]
    assert sequence["J"] == [0.25, 0.75]
    assert sequence["F"] == [0.5, 1.0]
    assert sequence["frames"] == ["00001", "00002"]
    assert sequence["missing"] == ["00001"]


def test_csv_has_a_row_a_sequence_and_a_global_row(report: Davis16Report) -> None:
    heading, dog, everything = csv.reader(report_csv(report).splitlines())
    assert heading == ["Sequence", *MEASURES]
    assert dog[0] == "dog[bold]"
    assert everything[0] == "global"
    assert (
        dog[1:]
        == everything[1:]
        == [f"{value:.5f}" for value in (0.625, 0.5, 0.25, -0.125, 0.75, 1.0, 0.0625)]
    )
