"""Text in pictures, in the fonts that OpenCV 5 brings along.

They hold Latin, Greek, Cyrillic, Chinese, Japanese and Korean letters, the same on every
machine. What they lack (emoji, Indic scripts) shows as a question mark.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from moseg.render.palette import Colour

REGULAR = 400
BOLD = 700
_ELLIPSIS = "…"


def draw_text(
    image: npt.NDArray[np.uint8],
    text: str,
    xy: tuple[int, int],
    size: int,
    colour: Colour,
    weight: int = REGULAR,
) -> int:
    """Write one line into `image` and return the x where it ends.

    `xy` is the left end of the base line in pixels, `size` the height of the font.
    Characters that cannot be printed become question marks.
    """
    end, _ = cv2.putText(image, printable(text), xy, colour, _font(), size, weight)
    return int(end[0])


def text_width(text: str, size: int, weight: int = REGULAR) -> int:
    """Width of one line in pixels."""
    scratch = np.zeros((1, 1, 3), np.uint8)
    return draw_text(scratch, text, (0, 0), size, (0, 0, 0), weight)


def shortened(text: str, width: int, size: int, weight: int = REGULAR) -> str:
    """`text`, or its beginning with an ellipsis, so that it is at most `width` pixels wide."""
    if text_width(text, size, weight) <= width:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width(text[:middle] + _ELLIPSIS, size, weight) <= width:
            fits = middle
        else:
            too_long = middle
    return text[:fits] + _ELLIPSIS if fits else ""


def printable(text: str) -> str:
    """`text` on one line: any space is plain, control characters and broken code points "?"."""
    spaced = (" " if c.isspace() else c for c in text)
    return "".join(c if c.isprintable() else "?" for c in spaced)


@lru_cache(maxsize=1)
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")
