"""The contact sheet of a scene: one picture that shows frames, tracks and masks.

Three rows (frames, tracks coloured by label, masks), up to six columns spread over the
scene. The caller feeds the chosen columns one by one, so no video is held in memory.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from moseg.core.files import published
from moseg.render import palette
from moseg.render.overlay import check_frame, check_ids, draw_dot, draw_tracks, paint
from moseg.render.text import BOLD, REGULAR, draw_text, shortened, text_width

Picture = npt.NDArray[np.uint8]

WIDTH = 1800  # of a full sheet; few or narrow columns give a narrower one
MIN_WIDTH = 900
MARGIN = 32
GAP = 12
MAX_CELL_HEIGHT = 420
MIN_COLUMN_WIDTH = 120
TRACK_RADIUS = 1.7
TRACK_SPACING = 7  # pixels on the sheet; denser tracks are thinned, or they hide the frame

_PAPER: palette.Colour = (255, 255, 255)
_INK: palette.Colour = (25, 28, 33)
_GREY: palette.Colour = (110, 116, 125)
_FRAME_LINE: palette.Colour = (190, 194, 200)

_HEADINGS = ("Frames", "Tracks", "Masks")
_NAME_SIZE, _FACT_SIZE, _HEADING_SIZE, _TITLE_SIZE, _LEGEND_SIZE = 42, 24, 26, 18, 20
_SECTION_HEIGHT = 58
_TITLE_HEIGHT = 26


def sheet_columns(T: int, n: int = 6) -> list[int]:
    """Indices of min(T, n) frames, evenly spread from the first to the last of T frames."""
    if T < 1 or n < 1:
        raise ValueError(f"a sheet needs at least one frame and one column, not {T} and {n}")
    if min(T, n) == 1:
        return [0]
    steps = min(T, n) - 1
    return [(2 * i * (T - 1) + steps) // (2 * steps) for i in range(steps + 1)]


@dataclass(frozen=True)
class _Column:
    title: str
    rows: tuple[Picture, Picture, Picture]


class ContactSheet:
    """Collects columns and draws the sheet.

    Args:
        scene: name of the scene, any text.
        frames: number of frames of the scene, T.
        height, width: size of the frames in pixels.
        objects: number of objects in all frames.
        sentence: what a person should know first, such as "Nothing moves."; may be empty.
        columns: number of columns to come, as given to `sheet_columns`; fewer frames
            than that give one column each.
    """

    def __init__(
        self,
        scene: str,
        frames: int,
        height: int,
        width: int,
        objects: int,
        sentence: str = "",
        columns: int = 6,
    ) -> None:
        self._scene = scene
        self._facts = "   ·   ".join(
            (_count(frames, "frame"), f"{width} × {height}", _count(objects, "object"))
        )
        self._sentence = sentence
        self._frame_shape = (height, width)
        self._wanted = len(sheet_columns(frames, columns))
        self._cell = _cell_size(height, width, self._wanted)
        self._columns: list[_Column] = []
        self._ids: set[int] = set()

    def add_column(
        self,
        frame: Picture,
        xy: npt.NDArray[np.floating],
        moving: npt.NDArray[np.bool_] | npt.NDArray[np.floating],
        ids: npt.NDArray[np.uint8],
        title: str,
    ) -> None:
        """Add the next column; only its three small pictures are kept.

        Args:
            frame: RGB uint8 [H, W, 3].
            xy: [n, 2] tracks in pixels of this frame, NaN where a track is not visible.
            moving: [n] bool or probability of motion.
            ids: uint8 [H, W] object ids.
            title: name and time of the frame.

        Raises:
            ValueError: wrong shapes, or more columns than `sheet_columns` gives.
        """
        check_frame(frame)
        check_ids(frame, ids)
        if ids.shape != self._frame_shape or len(self._columns) == self._wanted:
            raise ValueError(f"column {len(self._columns)} of size {list(ids.shape)} does not fit")
        height, width = self._cell
        picture = _resized(frame, height, width)
        small_ids = cv2.resize(ids, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        scale = np.array([width / ids.shape[1], height / ids.shape[0]])
        places = (xy + 0.5) * scale - 0.5
        kept = _thinned(places, TRACK_SPACING)
        dots = draw_tracks(_faded(picture), places[kept], moving[kept], radius=TRACK_RADIUS)
        painted = paint(picture, np.asarray(small_ids, np.uint8))
        self._columns.append(_Column(title, (picture, dots, painted)))
        self._ids.update(np.unique(ids[ids > 0]).tolist())

    def render(self) -> Picture:
        """The sheet so far, RGB uint8 [h, w, 3]."""
        cell_height, cell_width = self._cell
        pitch = max(cell_width, MIN_COLUMN_WIDTH) + GAP
        width = max(MIN_WIDTH, 2 * MARGIN + self._wanted * pitch - GAP)
        top = MARGIN + 92 + (40 if self._sentence else 0)
        rows = len(_HEADINGS) * (_SECTION_HEIGHT + cell_height) + _TITLE_HEIGHT
        sheet = np.full((top + rows + MARGIN, width, 3), _PAPER, np.uint8)
        self._draw_header(sheet)
        y = top
        for row, heading in enumerate(_HEADINGS):
            self._draw_heading(sheet, heading, y + 41)
            y += _SECTION_HEIGHT
            if row == 0:
                self._draw_titles(sheet, y + 15, pitch)
                y += _TITLE_HEIGHT
            for number, column in enumerate(self._columns):
                _paste(sheet, column.rows[row], MARGIN + number * pitch, y)
            y += cell_height
        return sheet

    def save(self, path: Path) -> None:
        """Write the sheet as a PNG, whole or not at all; equal sheets give equal bytes.

        Raises:
            OutputError: the place cannot be written.
        """
        encoded = io.BytesIO()
        Image.fromarray(self.render()).save(encoded, "PNG", compress_level=4)
        with published(path) as partial:
            partial.write_bytes(encoded.getvalue())

    def _draw_header(self, sheet: Picture) -> None:
        room = sheet.shape[1] - 2 * MARGIN
        name = shortened(self._scene, room, _NAME_SIZE, BOLD)
        draw_text(sheet, name, (MARGIN, MARGIN + 36), _NAME_SIZE, _INK, BOLD)
        facts = shortened(self._facts, room, _FACT_SIZE)
        draw_text(sheet, facts, (MARGIN, MARGIN + 76), _FACT_SIZE, _GREY)
        sentence = shortened(self._sentence, room, _FACT_SIZE, BOLD)
        draw_text(sheet, sentence, (MARGIN, MARGIN + 116), _FACT_SIZE, _INK, BOLD)

    def _draw_heading(self, sheet: Picture, heading: str, y: int) -> None:
        x = draw_text(sheet, heading, (MARGIN, y), _HEADING_SIZE, _INK, BOLD) + 28
        if heading == "Tracks":
            _draw_track_legend(sheet, x, y)
        elif heading == "Masks":
            _draw_object_legend(sheet, x, y, sorted(self._ids))

    def _draw_titles(self, sheet: Picture, y: int, pitch: int) -> None:
        for number, column in enumerate(self._columns):
            title = shortened(column.title, pitch - GAP, _TITLE_SIZE)
            draw_text(sheet, title, (MARGIN + number * pitch, y), _TITLE_SIZE, _GREY)


def _count(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


def _cell_size(height: int, width: int, columns: int) -> tuple[int, int]:
    """Height and width of one picture on the sheet, in the proportions of the frame."""
    room = (WIDTH - 2 * MARGIN + GAP) // max(columns, 3) - GAP
    scale = min(room / width, MAX_CELL_HEIGHT / height)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _resized(frame: Picture, height: int, width: int) -> Picture:
    """Smaller: mean over pixels. Larger: smooth, but tiny frames keep visible pixels."""
    if height <= frame.shape[0] and width <= frame.shape[1]:
        how = cv2.INTER_AREA
    else:
        how = cv2.INTER_CUBIC if max(frame.shape[:2]) > 64 else cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(frame, (width, height), interpolation=how), np.uint8)


def _faded(picture: Picture) -> Picture:
    """The picture in dark grey, so that the colours of tracks stand out."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    dark = cv2.convertScaleAbs(grey, alpha=0.5, beta=24)
    return np.asarray(cv2.cvtColor(dark, cv2.COLOR_GRAY2RGB), np.uint8)


def _thinned(places: npt.NDArray[np.floating], spacing: int) -> npt.NDArray[np.intp]:
    """Indices of the first track in each square of `spacing` pixels; places that are not
    finite are left out."""
    finite = np.flatnonzero(np.isfinite(places).all(axis=1))
    squares = np.floor_divide(places[finite], spacing)
    _, first = np.unique(squares, axis=0, return_index=True)
    return finite[np.sort(first)]


def _paste(sheet: Picture, picture: Picture, x: int, y: int) -> None:
    height, width = picture.shape[:2]
    cv2.rectangle(sheet, (x - 1, y - 1), (x + width, y + height), _FRAME_LINE, 1)
    sheet[y : y + height, x : x + width] = picture


def _draw_track_legend(sheet: Picture, x: int, y: int) -> None:
    entries = (
        ("moving", palette.MOVING_COLOUR),
        ("unsure", palette.UNSURE_COLOUR),
        ("still", palette.STATIC_COLOUR),
    )
    for label, colour in entries:
        draw_dot(sheet, (x + 8, y - 7), 9, _GREY)
        draw_dot(sheet, (x + 8, y - 7), 8, colour)
        x = draw_text(sheet, label, (x + 24, y), _LEGEND_SIZE, _INK, REGULAR) + 24


def _draw_object_legend(sheet: Picture, x: int, y: int, ids: list[int]) -> None:
    if not ids:
        draw_text(sheet, "no objects", (x, y), _LEGEND_SIZE, _GREY)
    colours = palette.object_colours().tolist()
    for number, ident in enumerate(ids):
        label = f"object {ident}"
        if x + 200 + text_width(label, _LEGEND_SIZE) > sheet.shape[1]:
            draw_text(sheet, f"and {len(ids) - number} more", (x, y), _LEGEND_SIZE, _GREY)
            return
        cv2.rectangle(sheet, (x, y - 15), (x + 16, y + 1), _GREY, 1)
        cv2.rectangle(sheet, (x + 1, y - 14), (x + 15, y), colours[ident], cv2.FILLED)
        x = draw_text(sheet, label, (x + 24, y), _LEGEND_SIZE, _INK) + 24
