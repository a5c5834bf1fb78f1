"""Colours of objects and tracks in pictures; mask files have `moseg.core.palette`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ColourTable = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

# Twelve colours for objects: bright enough over any photograph, and far from each other.
_OBJECT_COLOURS: tuple[Colour, ...] = (
    (255, 45, 85),  # red
    (0, 170, 255),  # azure
    (255, 214, 0),  # yellow
    (30, 215, 96),  # green
    (195, 60, 255),  # violet
    (255, 128, 0),  # orange
    (0, 240, 225),  # turquoise
    (255, 130, 215),  # pink
    (0, 130, 100),  # sea green
    (50, 75, 240),  # blue
    (190, 255, 90),  # lime
    (250, 235, 215),  # cream
)

# Blue and orange stay apart for every common kind of colour blindness.
STATIC_COLOUR: Colour = (40, 130, 255)
UNSURE_COLOUR: Colour = (235, 235, 235)
MOVING_COLOUR: Colour = (255, 122, 0)


def object_colours() -> ColourTable:
    """Colour of each object id in pictures, uint8 [256, 3] RGB.

    Id 0 (background) is black; ids 1 to 12 differ clearly, later ids start over.
    """
    table = np.zeros((256, 3), np.uint8)
    table[1:] = np.resize(np.array(_OBJECT_COLOURS, np.uint8), (255, 3))
    return table


def track_colours() -> ColourTable:
    """Colour of a track by its motion probability in 255 steps, uint8 [256, 3] RGB.

    0 is static (blue), 255 is moving (orange), the uncertain middle is near white.
    """
    anchors = np.array([STATIC_COLOUR, UNSURE_COLOUR, MOVING_COLOUR], np.float64)
    steps = np.arange(256) / 255.0
    channels = [np.interp(steps, (0.0, 0.5, 1.0), anchors[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)
