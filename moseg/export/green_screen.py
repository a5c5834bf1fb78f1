"""Green screen: what moves before one colour, for programs that know no alpha."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import ConfigError
from moseg.core.frames import RGB
from moseg.export.clips import Labels, MaskClip
from moseg.export.reshape import Reshape
from moseg.export.videos import write_videos
from moseg.export.written import Written
from moseg.render.video_codecs import H264

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

GREEN: Colour = (0, 255, 0)
_NAMES: dict[str, Colour] = {
    "green": GREEN,
    "blue": (0, 0, 255),
    "magenta": (255, 0, 255),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}


def write_green_screen(
    clips: Sequence[MaskClip], out: Path, shape: Reshape, colour: Colour = GREEN
) -> Written:
    """Write `out/<scene>_green_screen.mp4`, H.264: the objects, all else in `colour`.

    Inverted: all but the objects. The codec halves the resolution of colours, so that edges
    carry some of `colour` for a pixel.

    Raises:
        InputError, OutputError: as `write_videos`.
    """

    def picture(frame: RGB, labels: Labels) -> NDArray[np.uint8]:
        screened = frame.copy()
        screened[~shape.chosen(labels)] = colour
        return screened

    return write_videos(clips, out, "green_screen", H264, picture)


def parse_colour(text: str) -> Colour:
    """A colour from its name or from `RRGGBB`, hexadecimal, with or without `#`.

    Raises:
        ConfigError: it is neither.
    """
    if text.lower() in _NAMES:
        return _NAMES[text.lower()]
    digits = re.fullmatch(r"#?([0-9a-fA-F]{6})", text)
    if digits is None:
        raise ConfigError(f"colour {text!r}: write RRGGBB, such as 00ff00, or {', '.join(_NAMES)}")
    red, green, blue = bytes.fromhex(digits[1])
    return red, green, blue
