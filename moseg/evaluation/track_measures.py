"""How well probabilities of moving, one a track, agree with masks of what moves.

As Huang et al., "Segment Any Motion in Videos" (SegAnyMo), CVPR 2025, train and test: a track
is judged where it starts. N is the number of tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Float = NDArray[np.float64]
Probability = NDArray[np.floating]

THRESHOLDS: Float = np.linspace(0, 1, 100)
"""A track is taken to move where its probability exceeds the threshold."""


def track_iou(chosen: Bool, moving: Bool) -> float:
    """Intersection over union of the tracks chosen and those that move, bool [N] each.

    0 where there is neither, as in the reference; of masks it would be 1.
    """
    both, either = np.count_nonzero(chosen & moving), np.count_nonzero(chosen | moving)
    return both / (either + 1e-12)


def balanced_cross_entropy(probability: Probability, moving: Bool) -> float:
    """Mean cross-entropy where moving tracks weigh as much as all others: the training loss.

    Without moving tracks it is the plain one; without tracks NaN.
    """
    count = np.count_nonzero(moving)
    if moving.size == 0:
        return float("nan")
    weight = np.where(moving, (moving.size - count) / (count + 1e-6), 1.0)
    right = np.where(moving, probability, 1 - np.asarray(probability, np.float64))
    losses = -np.log(np.maximum(right, np.exp(-100.0)))  # bounded by 100, as in PyTorch
    return float((weight * losses).mean())


@dataclass(frozen=True)
class ThresholdCounts:
    """How many tracks exceed each of `THRESHOLDS`; those of several scenes can be added.

    Attributes:
        hits: int64 [100], moving tracks above each threshold.
        false_alarms: int64 [100], still ones.
        moving, still: how many there are.
    """

    hits: NDArray[np.int64]
    false_alarms: NDArray[np.int64]
    moving: int
    still: int

    @classmethod
    def of(cls, probability: Probability, moving: Bool) -> ThresholdCounts:
        """Count tracks: probabilities [N] against bool [N]."""
        hits, false_alarms = _above(probability[moving]), _above(probability[~moving])
        count = int(np.count_nonzero(moving))
        return cls(hits, false_alarms, count, moving.size - count)

    def __add__(self, other: ThresholdCounts) -> ThresholdCounts:
        return ThresholdCounts(
            self.hits + other.hits,
            self.false_alarms + other.false_alarms,
            self.moving + other.moving,
            self.still + other.still,
        )

    @property
    def recall(self) -> Float:
        """Share of the moving tracks above each threshold, [100]; NaN where none moves."""
        return _share(self.hits, self.moving)

    @property
    def false_positive_rate(self) -> Float:
        """Share of the still tracks above each threshold, [100]; NaN where none is still."""
        return _share(self.false_alarms, self.still)

    @property
    def precision(self) -> Float:
        """Share of moving ones in the tracks above each threshold, [100]; 1 where none is."""
        taken = self.hits + self.false_alarms
        return np.where(taken > 0, self.hits / np.maximum(taken, 1), 1.0)

    @property
    def area(self) -> float:
        """AUC: area under recall over false positive rate; NaN as these."""
        # No probability exceeds the last threshold; one of 0 does not exceed the first.
        across, up = np.append(1.0, self.false_positive_rate), np.append(1.0, self.recall)
        return float(((across[:-1] - across[1:]) * (up[:-1] + up[1:]) / 2).sum())

    @property
    def average_precision(self) -> float:
        """AP: mean of the precisions, weighted by the recall that each step gains; NaN as this."""
        return float(self.precision[:-1] @ -np.diff(self.recall))


def _above(probability: Probability) -> NDArray[np.int64]:
    ordered = np.sort(probability.astype(np.float64))
    return np.asarray(len(ordered) - np.searchsorted(ordered, THRESHOLDS, side="right"), np.int64)


def _share(counts: NDArray[np.int64], total: int) -> Float:
    return counts / total if total else np.full(counts.shape, np.nan)
