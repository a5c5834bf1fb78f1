"""What every protocol gives: figures of objects, sequences and the whole set, and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.evaluation.frame_pairs import FramePair, Reader

Figures = Mapping[str, float]
"""Name of a measure -> its value; NaN where there is none."""
Series = Mapping[str, NDArray[np.float64]]
"""Name of a measure -> one value for each scored frame, float64 [T]."""


@dataclass(frozen=True)
class Measure:
    """A column of the results.

    Attributes:
        name: as in JSON and CSV, such as `J-Mean`.
        percent: shown to people times 100 with one digit; else as it is.
        digits: after the point where it is shown as it is; 0 for counts.
    """

    name: str
    percent: bool = True
    digits: int = 3


@dataclass(frozen=True)
class ObjectScore:
    """One object of a sequence.

    Attributes:
        label: its id in the truth.
        matched: the id in the predictions that was scored against it; None where none was.
        figures: its measures.
        series: their values in each scored frame.
    """

    label: int
    matched: int | None
    figures: Figures
    series: Series


@dataclass(frozen=True)
class SequenceScore:
    """One sequence.

    Attributes:
        name: of its folder.
        figures: its measures.
        pairs: the scored frames, in order.
        series: values in each scored frame, by which the worst frames are found; of several
            objects the mean.
        objects: its objects, where the protocol tells them apart.
        missing: names of the scored frames without a prediction.
    """

    name: str
    figures: Figures
    pairs: tuple[FramePair, ...] = ()
    series: Series = field(default_factory=dict)
    objects: tuple[ObjectScore, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the scored frames without a prediction."""
        return tuple(pair.name for pair in self.pairs if pair.pred is None)


@dataclass(frozen=True)
class Ranking:
    """How frames are put in order of how bad they are: by a key of the series.

    Attributes:
        measure: key of `SequenceScore.series`.
        low_is_bad: as for J; an error (MAE) is bad where it is high.
    """

    measure: str
    low_is_bad: bool = True


@dataclass(frozen=True)
class Report:
    """What a protocol found.

    Attributes:
        protocol: its name on the command line.
        title: its name for people.
        pred, truth: the folders as given.
        rules: what a reader must know to quote the figures: a short name, such as `frames`,
            `objects`, `void`, `missing`, `sequences`, and a sentence for each.
        measures: the columns.
        figures: those of the whole set.
        sequences: in the order of scoring.
        notes: sentences about what is odd in these very folders, such as missing frames.
        curves: further series of the whole set, such as F over thresholds.
        read: gives the masks of a pair as they were scored; None where there are no masks.
        ranking: by which frames are the worst; None where there are no frames.
    """

    protocol: str
    title: str
    pred: Path
    truth: Path
    rules: Mapping[str, str]
    measures: tuple[Measure, ...]
    figures: Figures
    sequences: tuple[SequenceScore, ...]
    notes: tuple[str, ...] = ()
    curves: Series = field(default_factory=dict)
    read: Reader | None = None
    ranking: Ranking | None = None


def mean_figures(parts: tuple[Figures, ...] | list[Figures]) -> dict[str, float]:
    """Plain mean of each measure; NaN entries are left out, and all NaN gives NaN.

    Raises:
        ValueError: there are no parts, or they have other measures than each other.
    """
    if not parts:
        raise ValueError("mean_figures needs at least one entry")
    if any(part.keys() != parts[0].keys() for part in parts):
        raise ValueError("the parts have different measures")
    means = {}
    for name in parts[0]:
        values = np.array([part[name] for part in parts], np.float64)
        known = values[~np.isnan(values)]
        means[name] = float(known.mean()) if known.size else float("nan")
    return means
