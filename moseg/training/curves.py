"""The log of a training run as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moseg.render.curve_picture import Picture, Plot, Values, curve_picture
from moseg.training.log import Row


def training_curves(title: str, rows: Sequence[Row]) -> Picture:
    """Draw the loss of the training and the measures of the validation beside each other.

    What exceeds 1 is divided by its largest value, which its name then tells.

    Raises:
        ValueError: there are no rows.
    """
    plots = [
        plot
        for group, heading in (("training/loss", "training"), ("validation/", "validation"))
        if (plot := _plot(heading, [row for row in rows if row.name.startswith(group)]))
    ]
    return curve_picture(title, plots)


def _plot(title: str, rows: Sequence[Row]) -> Plot | None:
    """Return a plot with a line for each name, or nothing without rows."""
    if not rows:
        return None
    steps = sorted({row.step for row in rows})
    lines: dict[str, Values] = {}
    for name in dict.fromkeys(row.name for row in rows):
        values = {row.step: row.value for row in rows if row.name == name}
        line = np.array([values.get(step, np.nan) for step in steps], np.float64)
        lines.update([_scaled(name.partition("/")[2], line)])
    return Plot(title, "steps", np.array(steps, np.float64), lines)


def _scaled(name: str, values: Values) -> tuple[str, Values]:
    finite = values[np.isfinite(values)]
    largest = float(finite.max()) if len(finite) else 0.0
    return (f"{name} / {largest:.3g}", values / largest) if largest > 1 else (name, values)
