"""The log as a picture."""

from __future__ import annotations

import numpy as np
import pytest

from moseg.render.curve_picture import curve_picture
from moseg.training import curves
from moseg.training.curves import training_curves
from moseg.training.log import Row


def drawn(monkeypatch, rows):
    """What is drawn: title -> plot."""
    plots = {}

    def remember(title, given):
        plots.update({plot.title: plot for plot in given})
        return curve_picture(title, given)

    monkeypatch.setattr(curves, "curve_picture", remember)
    picture = training_curves("run", rows)
    assert picture.dtype == np.uint8
    return plots


def test_losses_and_measures_have_a_plot_each(monkeypatch):
    rows = [
        Row(5, "training/loss", 4.0),
        Row(5, "training/learning_rate", 0.1),
        Row(10, "training/loss", 1.0),
        Row(10, "validation/auc", 0.75),
    ]
    plots = drawn(monkeypatch, rows)
    assert list(plots) == ["training", "validation"]
    assert plots["training"].x.tolist() == [5, 10]
    assert {k: v.tolist() for k, v in plots["training"].lines.items()} == {"loss / 4": [1, 0.25]}
    assert {k: v.tolist() for k, v in plots["validation"].lines.items()} == {"auc": [0.75]}


def test_values_that_are_no_numbers_leave_gaps(monkeypatch):
    rows = [Row(1, "validation/auc", float("nan")), Row(2, "validation/auc", 0.5)]
    rows += [Row(2, "validation/loss", 2.0)]
    lines = drawn(monkeypatch, rows)["validation"].lines
    np.testing.assert_array_equal(lines["auc"], [np.nan, 0.5])
    np.testing.assert_array_equal(lines["loss / 2"], [np.nan, 1.0])


def test_an_empty_log_has_no_picture():
    with pytest.raises(ValueError, match="needs a plot"):
        training_curves("run", [])
