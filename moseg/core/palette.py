"""The palette of mask files."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ColourTable = npt.NDArray[np.uint8]


def davis_palette() -> ColourTable:
    """The DAVIS (and PASCAL VOC) palette, uint8 [256, 3] RGB.

    The bits of the index are dealt to red, green and blue in turn, three at a time;
    the first three go to the highest bit of the colours, the next three below them.
    So 0 is black, 1 is (128, 0, 0), 2 is (0, 128, 0), 3 is (128, 128, 0).

    Source: the colour map of the PASCAL VOC development kit, used by DAVIS 2016 and 2017.
    """
    index = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for group in range(8):
        for channel in range(3):
            bit = (index >> (3 * group + channel)) & 1
            palette[:, channel] |= (bit << (7 - group)).astype(np.uint8)
    return palette
