"""A picture of a simulated scene for people: frames with ids, tracks with truth, disparity."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moseg.core.files import published
from moseg.motion.simulate.render import Rendered
from moseg.motion.simulate.scene import Scene
from moseg.motion.simulate.tracks import SimulatedTracks
from moseg.render.contact_sheet import sheet_columns
from moseg.render.overlay import draw_tracks, paint
from moseg.render.text import draw_text, shortened

UInt8 = NDArray[np.uint8]

COLUMNS = 4
CELL_WIDTH = 400
_GAP, _HEADER, _SIZE = 6, 34, 20
_INK, _PAPER = (25, 28, 33), (255, 255, 255)


def preview(scene: Scene, rendered: Rendered, tracks: SimulatedTracks) -> UInt8:
    """Three rows: frames with moving objects painted; tracks; disparity, near is light.

    Args:
        scene: what was rendered.
        rendered: its pictures.
        tracks: of this scene alone, B = 1, in numpy arrays.

    Returns:
        RGB uint8 [h, w, 3]. Tracks on what moves at some time are orange, with their last
        places as tails; all others are blue.
    """
    shown = sheet_columns(len(scene), COLUMNS)
    disparity = rendered.disparity / max(float(np.quantile(rendered.disparity, 0.99)), 1e-6)
    rows = [
        [_cell(paint(rendered.frames[t], rendered.ids[t], 0.35)) for t in shown],
        [_tracked(rendered.frames[t], tracks, t) for t in shown],
        [_cell(_grey(disparity[t])) for t in shown],
    ]
    body = np.concatenate([_row(row) for row in rows], axis=0)
    header = np.full((_HEADER, body.shape[1], 3), _PAPER, np.uint8)
    moving = [f"{number}: {_frames(row)}" for number, row in enumerate(scene.moves) if number]
    title = f"{scene.seed}   {', '.join(scene.made_of)}   moving in frames  {'; '.join(moving)}"
    title = shortened(
        title if moving else title.replace("moving in frames", "nothing moves"),
        body.shape[1] - 2 * _GAP,
        _SIZE,
    )
    draw_text(header, title, (_GAP, 24), _SIZE, _INK)
    return np.concatenate([header, body], axis=0)


def save_preview(path: Path, picture: UInt8) -> None:
    """Write a preview as a PNG, whole or not at all.

    Raises:
        OutputError: the place cannot be written.
    """
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "PNG", compress_level=4)
    with published(path) as partial:
        partial.write_bytes(encoded.getvalue())


def _frames(moves: NDArray[np.bool_]) -> str:
    """First and last moving frame, such as "3-9"."""
    found = np.flatnonzero(moves)
    return f"{found[0]}-{found[-1]}"


def _tracked(frame: UInt8, tracks: SimulatedTracks, at: int) -> UInt8:
    """The tracks that are visible in a frame, on the frame in dark grey."""
    scale = CELL_WIDTH / frame.shape[1]
    places = np.where(tracks.visible[0][..., None], tracks.xy[0], np.nan)
    places = (places + 0.5) * scale - 0.5
    grey = cv2.cvtColor(_cell(frame), cv2.COLOR_RGB2GRAY)
    dark = cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=0.6, beta=10), cv2.COLOR_GRAY2RGB)
    tails = places[:, max(0, at - 4) : at]
    return draw_tracks(
        np.asarray(dark, np.uint8), places[:, at], tracks.moving[0], tails, radius=2.0
    )


def _grey(values: NDArray[np.floating]) -> UInt8:
    """Values in 0..1 [h, w] as a grey picture [h, w, 3]."""
    levels = np.rint(255 * np.clip(np.sqrt(values), 0, 1)).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=-1)


def _cell(picture: UInt8) -> UInt8:
    height = round(picture.shape[0] * CELL_WIDTH / picture.shape[1])
    resized = cv2.resize(picture, (CELL_WIDTH, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def _row(cells: Sequence[UInt8]) -> UInt8:
    """Cells side by side, with gaps around them."""
    padded = [
        cv2.copyMakeBorder(c, 0, _GAP, _GAP, 0, cv2.BORDER_CONSTANT, value=_PAPER) for c in cells
    ]
    return np.concatenate([np.asarray(cell, np.uint8) for cell in padded], axis=1)
