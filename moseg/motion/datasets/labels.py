"""Which tracks move, told by the mask of the frame they start in (SegAnyMo, CVPR 2025)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]


class Labels(NamedTuple):
    """The truth of tracks, bool [N] each.

    Attributes:
        label: the track starts on the mask.
        judged: it is seen where it starts, inside the frame. Of others nothing is known: they
            lie behind something else, whose mask tells nothing of them.
    """

    label: Bool
    judged: Bool


def label_tracks(xy: NDArray[np.floating], visible: Bool, mask: Bool) -> Labels:
    """Return the truth of tracks from the mask of their query frame.

    Args:
        xy: [N, 2] pixels in the query frame, centres at integers; of a half the even pixel is
            taken, and within half a pixel of the right or lower border the last one.
        visible: bool [N], in the query frame.
        mask: bool [H, W], what moves.
    """
    height, width = mask.shape
    inside = np.all((xy >= 0) & (xy < (width, height)), axis=1)
    judged: Bool = np.asarray(visible & inside, np.bool_)
    places = np.rint(np.where(inside[:, None], xy, 0)).astype(np.intp)
    column, row = np.minimum(places, (width - 1, height - 1)).T
    return Labels(np.asarray(judged & mask[row, column], np.bool_), judged)
