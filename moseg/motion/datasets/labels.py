"""Which tracks move, told by the mask of the frame they start in (SegAnyMo, CVPR 2025)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moseg.core.sampling import inside, on_mask

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
        xy: [N, 2] pixels in the query frame, centres at integers; see `on_mask`.
        visible: bool [N], in the query frame.
        mask: bool [H, W], what moves.
    """
    judged = visible & inside(xy, *mask.shape)
    return Labels(judged & on_mask(xy, mask), judged)
