"""Labels without training: what track statistics say about who moves.

Three steps turn per-frame evidence into labels:

1. the evidence under a track is averaged over the frames it is visible in;
2. tracks that look alike and lie near each other agree (non-local consensus voting after
   Faktor and Irani, BMVC 2014): waves and leaves that now and then stir are outvoted by the
   many that rest, the quiet parts of an object are carried by the rest of it;
3. per frame, the consensus and the frame's own evidence are added.

All log-odds are natural logarithms, about 3 for "sure".
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moseg.core.sampling import bilinear

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

LIMIT = 4.0
# Weight of each feature channel (colour at three scales, then texture) in the descriptor.
FEATURE_WEIGHTS = np.array([1.0] * 3 + [0.7] * 3 + [0.4] * 3 + [0.5] * 7, dtype=np.float32)
# Image width in units of the descriptor.
POSITION_WEIGHT = 12.0
# Share of moving tracks where no similar track is known, and the weight of that belief.
PRIOR_SHARE, PRIOR_WEIGHT = 0.02, 1e-3
# Shift of the consensus: a look that is moving as often as not belongs to the object.
CONSENSUS_SHIFT = 1.25
OWN_WEIGHT = 0.25
# Tracks that ask at the same time: small enough that the kernel stays a few megabytes, which
# also keeps the allocator from holding on to memory as a video goes on.
ROWS = 128
# Samples of one track set that vote on others, and frames to either side that are asked.
VOTERS_PER_SET = 300
VOTING_SPAN = 50


class MapSource(Protocol):
    """Random access to per-frame maps [h, w] by frame number."""

    def __getitem__(self, frame: int) -> NDArray[np.floating]: ...


def track_evidence(maps: MapSource, start: int, xy: FloatArray, visible: BoolArray) -> FloatArray:
    """Evidence maps read under the tracks of one set.

    Args:
        maps: evidence per frame, log-odds [h, w].
        start: frame of the window's first column.
        xy: positions, float32 [n, L, 2].
        visible: bool [n, L].

    Returns:
        Log-odds, float32 [n, L]; zero where not visible.
    """
    evidence = np.zeros(visible.shape, dtype=np.float32)
    for column in range(visible.shape[1]):
        rows = np.flatnonzero(visible[:, column])
        if len(rows):
            evidence[rows, column] = bilinear(maps[start + column], xy[rows, column])
    return evidence


def pool_evidence(evidence: FloatArray, confidence: FloatArray) -> FloatArray:
    """Mean evidence of each track over its visible frames, weighted by confidence.

    Args:
        evidence: log-odds, float32 [n, L].
        confidence: 0..1, zero where not visible, float32 [n, L].

    Returns:
        float32 [n].
    """
    weight = confidence.sum(axis=1)
    total = (evidence * confidence).sum(axis=1)
    return np.asarray(total / np.maximum(weight, 1e-6), dtype=np.float32)


def descriptors(
    features: NDArray[np.floating], cell: int, points: FloatArray, width: int
) -> FloatArray:
    """Look and place of the tracks on their query frame.

    Args:
        features: feature map of the query frame, [hc, wc, C].
        cell: side of a feature cell in pixels.
        points: positions on the query frame, float32 [n, 2].
        width: width of the working frame in pixels.

    Returns:
        float32 [n, C + 2]; a distance of one counts as "somewhat alike".
    """
    look = bilinear(features, ((points - (cell - 1) / 2) / cell).astype(np.float32))
    if look.shape[1] == len(FEATURE_WEIGHTS):
        look = look * FEATURE_WEIGHTS
    place = points * (POSITION_WEIGHT / width)
    return np.concatenate([look, place], axis=1).astype(np.float32)


def voter_rows(count: int, voters: int = VOTERS_PER_SET) -> NDArray[np.int64]:
    """Which of a set's tracks vote: evenly spread over the grid, at most ``voters`` rows."""
    kept = min(count, voters)
    return (np.arange(kept) * (count / max(kept, 1))).astype(np.int64)


def consensus(asking: FloatArray, voters: FloatArray, voter_log_odds: FloatArray) -> FloatArray:
    """How often tracks that look like this one, and lie near it, move.

    Args:
        asking: descriptors [n, D] of the tracks to label.
        voters: descriptors [m, D] of sample tracks of all sets within VOTING_SPAN frames.
        voter_log_odds: their pooled evidence, float32 [m].

    Returns:
        Log-odds, float32 [n].
    """
    probability = 1 / (1 + np.exp(-voter_log_odds.astype(np.float32)))
    offset = voters.mean(axis=0) if len(voters) else np.zeros(1, dtype=np.float32)
    ask, vote = asking - offset, voters - offset
    norm = 0.5 * np.square(vote).sum(axis=1)
    moving = np.empty(len(ask), dtype=np.float32)
    for first in range(0, len(ask), ROWS):
        part = ask[first : first + ROWS]
        exponent = part @ vote.T - norm - 0.5 * np.square(part).sum(axis=1)[:, None]
        kernel = np.exp(np.minimum(exponent, 0))
        total = kernel.sum(axis=1) + PRIOR_WEIGHT
        moving[first : first + ROWS] = (kernel @ probability + PRIOR_WEIGHT * PRIOR_SHARE) / total
    moving = np.clip(moving, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(moving / (1 - moving)), dtype=np.float32)


def label_set(
    evidence: FloatArray, pooled: FloatArray, agreed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Labels of one set of tracks.

    Args:
        evidence: per-frame evidence, float32 [n, L].
        pooled: evidence pooled over each track, float32 [n].
        agreed: consensus, float32 [n].

    Returns:
        Log-odds per track and frame, float32 [n, L]; probability that the track moves, [n].
    """
    track = agreed + CONSENSUS_SHIFT + OWN_WEIGHT * pooled
    log_odds = np.clip(track[:, None] + 0.5 * OWN_WEIGHT * evidence, -LIMIT, LIMIT)
    whole = np.clip(agreed + CONSENSUS_SHIFT + 1.5 * OWN_WEIGHT * pooled, -LIMIT, LIMIT)
    return log_odds.astype(np.float32), (1 / (1 + np.exp(-whole))).astype(np.float32)
