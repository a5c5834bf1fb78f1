"""From probabilities to moving tracks: the highest threshold that enough tracks exceed.

The thresholds are those of SegAnyMo (CVPR 2025), which always finds something to move; a least
probability lets the answer be that nothing does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LADDER = (0.95, 0.93, 0.9, 0.85, 0.8, 0.75, 0.7)
LONG_LADDER = (0.99, 0.98, 0.97, 0.96, 0.95)
LONG = 300
"""A window of more frames than this takes the long ladder."""


def choose_dynamic(
    probability: NDArray[np.float32],
    thresholds: Sequence[float],
    least: int = 10,
    fallback: int = 3,
    minimum: float = 0.0,
) -> tuple[NDArray[np.bool_], float]:
    """Return which tracks move, and the threshold they exceed.

    Args:
        probability: float32 [N], of all tracks that were classified together.
        thresholds: tried in this order.
        least: tracks that have to exceed a threshold.
        fallback: if no threshold is exceeded by so many, this many of the most probable tracks
            move, and the threshold is 0.
        minimum: probability below which no track moves.

    Returns:
        bool [N], and the threshold.
    """
    allowed = probability >= minimum
    for threshold in thresholds:
        above = (probability > threshold) & allowed
        if np.count_nonzero(above) >= least:
            return above, float(threshold)
    dynamic = np.zeros(len(probability), bool)
    dynamic[np.argsort(-probability, kind="stable")[:fallback]] = True
    return dynamic & allowed, 0.0
