"""J and F of one foreground a sequence: the part that several protocols share.

Source: Perazzi et al., CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.evaluation import measures
from moseg.evaluation.frame_pairs import FramePair, Reader, SequencePairs
from moseg.evaluation.frame_pool import Progress, score_frames, unheard
from moseg.evaluation.frame_rules import FrameRule
from moseg.evaluation.measures import Statistics
from moseg.evaluation.results import Measure, Ranking, SequenceScore

J_AND_F = tuple(
    Measure(name)
    for name in ("J&F-Mean", "J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay")
)
"""The columns of the DAVIS tools."""
BY_J = Ranking("J")


@dataclass(frozen=True)
class BinaryScore:
    """J and F of one pair: callable, and can be sent to another process."""

    read: Reader

    def __call__(self, pair: FramePair) -> tuple[float, float]:
        """Return J and F of everything above 0 in prediction and truth, outside void."""
        masks = self.read(pair)
        pred, truth = masks.pred > 0, masks.truth > 0
        return (
            measures.region_similarity(pred, truth, masks.void),
            measures.boundary_measure(pred, truth, masks.void),
        )


def score_binary(
    sequences: Sequence[SequencePairs],
    read: Reader,
    rule: FrameRule,
    workers: int | None = 1,
    progress: Progress = unheard,
) -> tuple[SequenceScore, ...]:
    """Score the frames that count of each sequence; `sequences` have all their frames.

    Raises:
        InputError: a file cannot be read or does not fit, or a sequence is too short.
    """
    counting = [
        SequencePairs(part.name, part.pred, rule.scored(part.pairs, part.name))
        for part in sequences
    ]
    scores = []
    for whole, (part, values) in zip(
        sequences, score_frames(BinaryScore(read), counting, workers, progress), strict=True
    ):
        region, boundary = np.array(values, np.float64).T
        figures = j_and_f_figures(
            with_trend(region, rule.trend(len(whole.pairs))),
            with_trend(boundary, rule.trend(len(whole.pairs))),
        )
        scores.append(SequenceScore(part.name, figures, part.pairs, {"J": region, "F": boundary}))
    return tuple(scores)


def with_trend(series: NDArray[np.float64], trend: int) -> Statistics:
    """Statistics of a series, recall and decay over its first `trend` frames."""
    over_all, over_trend = measures.statistics(series), measures.statistics(series[:trend])
    return Statistics(over_all.mean, over_trend.recall, over_trend.decay)


def j_and_f_figures(region: Statistics, boundary: Statistics) -> dict[str, float]:
    """The figures of `J_AND_F`."""
    values = (
        (region.mean + boundary.mean) / 2,
        *(region.mean, region.recall, region.decay),
        *(boundary.mean, boundary.recall, boundary.decay),
    )
    return {measure.name: value for measure, value in zip(J_AND_F, values, strict=True)}
