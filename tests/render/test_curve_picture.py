"""Curves are drawn where their values are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from moseg.render import curve_picture as curve_picture_module
from moseg.render.curve_picture import COLOURS, LEFT, MARGIN, SIDE, Plot, curve_picture

TOP = 122


def drawn(values: list[float], x: list[float] | None = None, plots: int = 1) -> np.ndarray:
    """The last plot of a picture, bool [SIDE, SIDE]: where its line is."""
    axis = np.array(x if x is not None else np.linspace(0, 1, len(values)))
    plot = Plot("F over thresholds", "threshold", axis, {"F": np.array(values)})
    picture = curve_picture("vsod", [plot] * plots)
    left = LEFT + (plots - 1) * (LEFT + SIDE + MARGIN)
    inside = picture[TOP : TOP + SIDE, left : left + SIDE]
    return np.asarray((np.abs(inside.astype(int) - COLOURS[0]) < 12).all(axis=2))


@pytest.mark.parametrize("plots", [1, 2])
def test_a_line_runs_through_its_values(plots: int) -> None:
    line = drawn([0.0, 1.0], plots=plots)
    rows, columns = np.nonzero(line)
    assert np.abs((SIDE - rows) - columns).max() <= 4
    assert len(np.unique(columns)) > 0.95 * SIDE


def test_the_axis_is_as_wide_as_its_values_in_either_direction() -> None:
    for x in ([0.0, 128.0, 255.0], [255.0, 128.0, 0.0]):
        columns = np.nonzero(drawn([0.5, 0.5, 0.5], x))[1]
        assert columns.min() <= 3
        assert columns.max() >= SIDE - 4


def test_marks_are_written_where_they_are_on_the_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    marks: dict[str, int] = {}
    monkeypatch.setattr(
        curve_picture_module, "_centred", lambda sheet, text, x, y: marks.update({text: x - LEFT})
    )
    axis = np.arange(256.0)
    lines = {"F": np.full(256, 0.5)}
    curve_picture("vsod", [Plot("F", "threshold", axis, lines, (0, 64, 128, 192, 255, 256))])
    places = {str(code): round(code / 255 * SIDE) for code in (0, 64, 128, 192, 255)}
    assert marks == places | {"threshold": SIDE // 2}
    marks.clear()
    curve_picture("ROC", [Plot("ROC", "rate", axis / 255, lines)])
    assert list(marks) == ["0", "0.25", "0.5", "0.75", "1", "rate"]


def test_lines_have_gaps_where_there_is_no_value() -> None:
    line = drawn([math.nan, 0.5, 0.5, math.nan, 0.25, 0.25, math.nan])
    there = line.any(axis=0)
    step = SIDE / 6
    assert there[round(1.5 * step)]
    assert there[round(4.5 * step)]
    for place in (0.5, 2.5, 3, 3.5, 5.5):
        assert not there[round(place * step)]


@pytest.mark.parametrize("values", [[math.nan, math.nan], [0.5], [2.0, -1.0], [math.nan, 0.5]])
def test_odd_values_can_be_drawn(values: list[float]) -> None:
    drawn(values)


def test_lines_of_another_length_and_no_plots_are_refused() -> None:
    with pytest.raises(ValueError, match="F has"):
        drawn([0.5, 0.5], [0.0, 0.5, 1.0])
    with pytest.raises(ValueError, match="needs a plot"):
        curve_picture("vsod", [])
