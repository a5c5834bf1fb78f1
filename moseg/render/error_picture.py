"""One frame of a scored video in four panels: the frame, the truth, the prediction, the errors.

Pure functions on arrays. The colours of the error panel keep apart for every common kind of
colour blindness; what does not count is striped as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from moseg.render.overlay import check_frame, check_ids, paint
from moseg.render.palette import Colour
from moseg.render.text import BOLD, draw_text, shortened, text_width

Picture = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

HIT: Colour = (60, 185, 255)
MISSED: Colour = (255, 222, 20)
FALSE_ALARM: Colour = (230, 60, 20)
WRONG_OBJECT: Colour = (120, 40, 190)
UNCOUNTED: Colour = (236, 236, 236)

PANEL = 640  # longest side of a panel in pixels
MIN_WIDTH = 800
MARGIN, GAP = 28, 16
_PAPER: Colour = (255, 255, 255)
_INK: Colour = (25, 28, 33)
_GREY: Colour = (110, 116, 125)
_LINE: Colour = (190, 194, 200)
_NO_FRAME: Colour = (128, 128, 128)
_STRIPE: Colour = (120, 120, 120)
_TITLE_SIZE, _FACT_SIZE, _HEADING_SIZE, _LEGEND_SIZE = 34, 21, 22, 20
_HEADER, _HEADING, _LEGEND = 92, 38, 46


@dataclass(frozen=True)
class Caption:
    """What is written above the panels: which frame it is, and facts about it."""

    sequence: str
    frame: str
    facts: str


def error_picture(
    frame: Picture | None, truth: Ids, pred: Ids, void: Mask | None, caption: Caption
) -> Picture:
    """Draw a frame whose masks hold object ids.

    Args:
        frame: RGB uint8 [H, W, 3]; None: the picture is not there, and grey stands for it.
        truth: uint8 [H, W] object ids.
        pred: uint8 [H, W], an object has the id that it has in the truth.
        void: bool [H, W], pixels that do not count.
        caption: of the picture.

    Returns:
        RGB uint8 [h, w, 3], two panels wide and high.

    Raises:
        ValueError: the shapes or types do not fit.
    """
    shown = _checked(frame, truth, pred)
    backdrop = _faded(shown)
    errors = backdrop.copy()
    inside, found = truth > 0, pred > 0
    _tint(errors, inside & (pred == truth), HIT, 0.65)
    _tint(errors, inside & ~found, MISSED, 0.9)
    _tint(errors, ~inside & found, FALSE_ALARM, 0.9)
    _tint(errors, inside & found & (pred != truth), WRONG_OBJECT, 0.9)
    legend = [("hit", HIT), ("missed", MISSED), ("false alarm", FALSE_ALARM)]
    if np.count_nonzero(np.bincount(np.append(truth[inside], pred[found]))) > 1:
        legend.append(("wrong object", WRONG_OBJECT))
    true = paint(backdrop, truth, 0.7)
    legend += _mark_void(void, true, errors)
    return _sheet((shown, true, paint(backdrop, pred, 0.7), errors), caption, legend)


def saliency_picture(
    frame: Picture | None, truth: Ids, level: Ids, void: Mask | None, caption: Caption
) -> Picture:
    """Draw a frame whose prediction is a map of grey levels.

    The more a pixel is wrong, the more it has the colour of its error.

    Args:
        frame: as of `error_picture`.
        truth: uint8 [H, W], the object is above 0.
        level: uint8 [H, W], 0 is surely background and 255 surely the object.
        void, caption: as of `error_picture`.

    Raises:
        ValueError: the shapes or types do not fit.
    """
    shown = _checked(frame, truth, level)
    share = (level.astype(np.float32) / 255)[..., None]
    errors = _faded(shown)
    missed, hit, alarm = (np.array(colour, np.float32) for colour in (MISSED, HIT, FALSE_ALARM))
    inside = missed * (1 - share) + hit * share
    outside = errors * (1 - share) + alarm * share
    errors = np.rint(np.where((truth > 0)[..., None], inside, outside)).astype(np.uint8)
    grey = [cv2.cvtColor(part, cv2.COLOR_GRAY2RGB) for part in ((truth > 0) * np.uint8(255), level)]
    true, predicted = (np.asarray(part, np.uint8) for part in grey)
    legend = [("hit", HIT), ("missed", MISSED), ("false alarm", FALSE_ALARM)]
    legend += _mark_void(void, true, errors)
    return _sheet((shown, true, predicted, errors), caption, legend)


def _checked(frame: Picture | None, truth: Ids, pred: Ids) -> Picture:
    shown = np.full((*truth.shape, 3), _NO_FRAME, np.uint8) if frame is None else frame
    check_frame(shown)
    check_ids(shown, truth)
    check_ids(shown, pred)
    return shown


def _faded(frame: Picture) -> Picture:
    """The frame in dark grey, so that colours stand out."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    dark = cv2.convertScaleAbs(grey, alpha=0.45, beta=20)
    return np.asarray(cv2.cvtColor(dark, cv2.COLOR_GRAY2RGB), np.uint8)


def _tint(image: Picture, mask: Mask, colour: Colour, alpha: float) -> None:
    tinted = cv2.addWeighted(image, 1 - alpha, np.full_like(image, colour), alpha, 0)
    cv2.copyTo(tinted, mask.view(np.uint8), image)


def _mark_void(void: Mask | None, *panels: Picture) -> list[tuple[str, Colour]]:
    """Stripe the panels where pixels do not count; return the entry of the legend, if any do."""
    if void is None or not void.any():
        return []
    for panel in panels:
        _stripe(panel, void)
    return [("does not count", UNCOUNTED)]


def _stripe(image: Picture, mask: Mask) -> None:
    """Draw slanted stripes where `mask` is set, about as wide in the sheet for any size."""
    height, width = mask.shape
    wide = max(2, round(max(height, width) / PANEL * 5))
    light = (np.add.outer(np.arange(height), np.arange(width)) // wide) % 2 == 0
    image[mask & light] = UNCOUNTED
    image[mask & ~light] = _STRIPE


def _sheet(
    panels: tuple[Picture, Picture, Picture, Picture],
    caption: Caption,
    legend: Sequence[tuple[str, Colour]],
) -> Picture:
    height, width = _panel_size(*panels[0].shape[:2])
    sheet_width = max(MIN_WIDTH, 2 * (width + MARGIN) + GAP)
    sheet_height = _HEADER + 2 * (_HEADING + height) + GAP + _LEGEND + MARGIN
    sheet = np.full((sheet_height, sheet_width, 3), _PAPER, np.uint8)
    _draw_caption(sheet, caption)
    for number, (heading, panel) in enumerate(
        zip(("Frame", "Truth", "Prediction", "Error"), panels, strict=True)
    ):
        x = MARGIN + (number % 2) * (width + GAP)
        y = _HEADER + (number // 2) * (_HEADING + height + GAP) + _HEADING
        draw_text(sheet, heading, (x, y - 9), _HEADING_SIZE, _INK, BOLD)
        cv2.rectangle(sheet, (x - 1, y - 1), (x + width, y + height), _LINE, 1)
        sheet[y : y + height, x : x + width] = _resized(panel, height, width)
    _draw_legend(sheet, legend, sheet_height - MARGIN)
    return sheet


def _draw_caption(sheet: Picture, caption: Caption) -> None:
    """Write the header; a sequence with a long name is shortened, the frame never."""
    room = sheet.shape[1] - 2 * MARGIN
    frame = shortened(caption.frame, room // 2, _TITLE_SIZE, BOLD)
    left = room - text_width(frame, _TITLE_SIZE, BOLD) - 2 * GAP
    sequence = shortened(caption.sequence, left, _TITLE_SIZE, BOLD)
    end = draw_text(sheet, sequence, (MARGIN, 52), _TITLE_SIZE, _INK, BOLD)
    draw_text(sheet, frame, (end + 2 * GAP, 52), _TITLE_SIZE, _GREY, BOLD)
    facts = shortened(caption.facts, room, _FACT_SIZE)
    draw_text(sheet, facts, (MARGIN, 83), _FACT_SIZE, _GREY)


def _panel_size(height: int, width: int) -> tuple[int, int]:
    scale = PANEL / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _resized(panel: Picture, height: int, width: int) -> Picture:
    """Smaller: mean over pixels. Larger: pixels stay visible."""
    how = cv2.INTER_AREA if height <= panel.shape[0] else cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(panel, (width, height), interpolation=how), np.uint8)


def _draw_legend(sheet: Picture, entries: Sequence[tuple[str, Colour]], y: int) -> None:
    widths = [30 + text_width(label, _LEGEND_SIZE) + 28 for label, _ in entries]
    x = max(MARGIN, sheet.shape[1] - MARGIN - sum(widths) + 28)
    for (label, colour), width in zip(entries, widths, strict=True):
        swatch = np.s_[y - 16 : y + 2, x : x + 20]
        sheet[swatch] = colour
        if colour == UNCOUNTED:
            _stripe(sheet[swatch], np.ones((18, 20), np.bool_))
        cv2.rectangle(sheet, (x - 1, y - 17), (x + 20, y + 2), _GREY, 1)
        draw_text(sheet, label, (x + 30, y), _LEGEND_SIZE, _INK)
        x += width
