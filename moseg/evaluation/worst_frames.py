"""The frames that were scored worst: where a person looks first."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from moseg.evaluation.frame_pairs import FramePair
from moseg.evaluation.results import Report

OF_ONE_SEQUENCE = 2
"""Frames of one sequence in the list: neighbours look alike, and one bad one would fill it."""


@dataclass(frozen=True)
class WorstFrame:
    """A frame and its value of the measure by which the report ranks frames."""

    sequence: str
    pair: FramePair
    measure: str
    value: float


def worst_frames(report: Report, count: int) -> list[WorstFrame]:
    """The `count` worst frames, the worst first; equal ones in the order of the report.

    Of one sequence there are at most `OF_ONE_SEQUENCE`, and more only where the list would
    be shorter than `count` else. A report that ranks no frames has none.
    """
    ranked = _ranked(report)
    before: Counter[str] = Counter()
    spare = []
    for frame in ranked:
        spare.append(before[frame.sequence] >= OF_ONE_SEQUENCE)
        before[frame.sequence] += 1
    places = sorted(range(len(ranked)), key=lambda place: (spare[place], place))[:count]
    return [ranked[place] for place in sorted(places)]


def _ranked(report: Report) -> list[WorstFrame]:
    if report.ranking is None:
        return []
    measure, sign = report.ranking.measure, 1 if report.ranking.low_is_bad else -1
    frames = [
        WorstFrame(score.name, pair, measure, float(value))
        for score in report.sequences
        if measure in score.series
        for pair, value in zip(score.pairs, score.series[measure], strict=True)
        if not math.isnan(value)
    ]
    return sorted(frames, key=lambda frame: sign * frame.value)
