"""Curves over a square: a small plot for people who have no plotting program at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from moseg.render.palette import Colour
from moseg.render.text import BOLD, draw_text, shortened, text_width

Picture = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float64]

SIDE = 480  # of a plot in pixels
MARGIN, LEFT, BELOW = 32, 64, 84
_HEADER = 122
_PAPER: Colour = (255, 255, 255)
_INK: Colour = (25, 28, 33)
_GREY: Colour = (110, 116, 125)
_LINE: Colour = (225, 228, 232)
COLOURS: tuple[Colour, ...] = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (120, 40, 190))
_TITLE_SIZE, _HEADING_SIZE, _LABEL_SIZE = 28, 22, 18
_SHIFT = 4  # OpenCV draws at sub-pixel places with 4 binary digits


_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Plot:
    """Lines over one axis.

    Attributes:
        title: above the plot.
        across: name of the axis.
        x: values of the axis, float64 [N]; the plot is as wide as they are.
        lines: name -> values, float64 [N], of which 0..1 is shown; there are gaps at NaN.
        marks: values of the axis that are written below it; those beyond its ends are left out.
    """

    title: str
    across: str
    x: Values
    lines: Mapping[str, Values]
    marks: Sequence[float] = _QUARTERS


def curve_picture(title: str, plots: Sequence[Plot]) -> Picture:
    """Draw plots beside each other, RGB uint8 [h, w, 3].

    Raises:
        ValueError: there are none, or a line has another length than its axis.
    """
    if not plots:
        raise ValueError("a picture of curves needs a plot")
    pitch = LEFT + SIDE + MARGIN
    sheet = np.full((_HEADER + SIDE + BELOW, len(plots) * pitch, 3), _PAPER, np.uint8)
    shown = shortened(title, sheet.shape[1] - LEFT - MARGIN, _TITLE_SIZE, BOLD)
    draw_text(sheet, shown, (LEFT, 54), _TITLE_SIZE, _INK, BOLD)
    for number, plot in enumerate(plots):
        _draw(sheet, plot, LEFT + number * pitch, _HEADER)
    return sheet


def _draw(sheet: Picture, plot: Plot, left: int, top: int) -> None:
    end = draw_text(sheet, plot.title, (left, top - 18), _HEADING_SIZE, _INK, BOLD)
    low, high = float(np.nanmin(plot.x)), float(np.nanmax(plot.x))
    width = high - low or 1.0
    for mark in (mark for mark in plot.marks if low <= mark <= high):
        x = left + round((mark - low) / width * SIDE)
        cv2.line(sheet, (x, top), (x, top + SIDE), _LINE, 1)
        _centred(sheet, f"{mark:g}", x, top + SIDE + 24)
    for mark in _QUARTERS:
        y = top + round((1 - mark) * SIDE)
        cv2.line(sheet, (left, y), (left + SIDE, y), _LINE, 1)
        text = f"{mark:g}"
        before = left - 10 - text_width(text, _LABEL_SIZE)
        draw_text(sheet, text, (before, y + 6), _LABEL_SIZE, _GREY)
    _centred(sheet, plot.across, left + SIDE // 2, top + SIDE + 54)
    places = (plot.x - low) / width
    x = end + 24
    for number, (name, values) in enumerate(plot.lines.items()):
        if values.shape != plot.x.shape:
            raise ValueError(f"{name} has {values.shape} values, its axis {plot.x.shape}")
        colour = COLOURS[number % len(COLOURS)]
        _line(sheet, left + places * SIDE, top + (1 - values.clip(0, 1)) * SIDE, colour)
        cv2.line(sheet, (x, top - 25), (x + 22, top - 25), colour, 4, cv2.LINE_AA)
        x = draw_text(sheet, name, (x + 30, top - 18), _LABEL_SIZE, _INK) + 22


def _line(sheet: Picture, x: Values, y: Values, colour: Colour) -> None:
    known = np.isfinite(x) & np.isfinite(y)
    points = np.rint(np.stack([x, y], axis=1)[known] * 2**_SHIFT).astype(np.int32)
    ends = np.flatnonzero(~known[:-1]) if known.size else np.empty(0, np.intp)
    pieces = np.split(points, np.unique(np.cumsum(known)[ends]))
    cv2.polylines(
        sheet, [part for part in pieces if len(part)], False, colour, 3, cv2.LINE_AA, _SHIFT
    )


def _centred(sheet: Picture, text: str, x: int, y: int) -> None:
    draw_text(sheet, text, (x - text_width(text, _LABEL_SIZE) // 2, y), _LABEL_SIZE, _GREY)
