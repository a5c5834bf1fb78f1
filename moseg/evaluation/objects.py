"""J and F of several objects a sequence: every prediction against every object, and who is who.

```
frame ─► FrameTable   J and F of each pair of masks that are there       compare_objects
            ▼
         PairSeries   the same of a whole sequence [P, O, T]             pair_series
            ▼
         matches      object -> proposal, one assignment a sequence      match_objects
            ▼
         scores       of objects and of their sequence                   score_objects
```

A proposal is what the predictions call an object: all pixels with one id. Ids of the truth and
of the predictions have nothing to do with each other until they are matched.

Source: Pont-Tuset et al., "The 2017 DAVIS Challenge on Video Object Segmentation", 2017;
Caelles et al., "The 2019 DAVIS Challenge on VOS: Unsupervised Multi-Object Segmentation", 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moseg.evaluation import measures
from moseg.evaluation.assignment import best_assignment
from moseg.evaluation.binary import j_and_f_figures
from moseg.evaluation.frame_pairs import FrameMasks, FramePair, Labels, Mask, Reader, SequencePairs
from moseg.evaluation.measures import Outline
from moseg.evaluation.results import ObjectScore, SequenceScore, mean_figures

MatchBy = Literal["J&F", "J", "F"]
Values = NDArray[np.float64]

_EMPTY = Outline(np.zeros((0, 0), np.bool_), np.zeros((0, 0), np.bool_), 0)


@dataclass(frozen=True)
class FrameTable:
    """J and F of each proposal against each object in one frame.

    Row 0 and column 0 stand for an empty mask, which is what every id is that the frame lacks.

    Attributes:
        proposals: the id of each row: 0, then those that are there, ascending.
        objects: the id of each column, the same for the truth.
        region, boundary: J and F, float64 [1 + proposals, 1 + objects].
    """

    proposals: tuple[int, ...]
    objects: tuple[int, ...]
    region: Values
    boundary: Values


@dataclass(frozen=True)
class PairSeries:
    """J and F of each proposal against each object in every frame.

    Attributes:
        proposals: ids 1..P; P is the highest id, or the number of objects if that is more.
        present: those of them that occur; the others are empty masks.
        objects: ids of the truth that are scored.
        region, boundary: J and F, float64 [P, O, T].
    """

    proposals: tuple[int, ...]
    present: frozenset[int]
    objects: tuple[int, ...]
    region: Values
    boundary: Values


@dataclass(frozen=True)
class ObjectTables:
    """The `FrameTable` of one pair: callable, and can be sent to another process."""

    read: Reader

    def __call__(self, pair: FramePair) -> FrameTable:
        """Return the table of the masks that `read` gives."""
        return compare_objects(self.read(pair))


def compare_objects(masks: FrameMasks) -> FrameTable:
    """J and F of every proposal against every object, outside void.

    The outline of each mask is computed once, and only masks that are there are looked at.
    """
    truth, pred = masks.truth, masks.pred
    counts = _overlaps(pred, truth, masks.void)
    proposals, objects = _ids(counts.sum(axis=1)), _ids(counts.sum(axis=0))
    pred_outlines = _outlines(pred, proposals, masks.void)
    true_outlines = _outlines(truth, objects, masks.void)
    boundary = [
        [measures.outline_agreement(one, other) for other in true_outlines] for one in pred_outlines
    ]
    return FrameTable(
        proposals, objects, _regions(counts, proposals, objects), np.array(boundary, np.float64)
    )


def pair_series(tables: Sequence[FrameTable], objects: Sequence[int]) -> PairSeries:
    """Put the tables of a sequence together, for the `objects` that are scored.

    Gaps in the ids of proposals, and as many more as it takes to have one for each object, are
    proposals with empty masks.
    """
    present = frozenset(label for table in tables for label in table.proposals if label)
    proposals = tuple(range(1, max(len(objects), *present, 0) + 1))
    shape = (len(proposals), len(objects), len(tables))
    region, boundary = np.empty(shape), np.empty(shape)
    for frame, table in enumerate(tables):
        places = np.ix_(_places(proposals, table.proposals), _places(objects, table.objects))
        region[..., frame] = table.region[places]
        boundary[..., frame] = table.boundary[places]
    return PairSeries(proposals, present, tuple(objects), region, boundary)


def match_objects(series: PairSeries, by: MatchBy = "J&F") -> dict[int, int]:
    """Object -> proposal: one assignment for the whole sequence, best in the mean over frames.

    Every object gets a proposal, if perhaps an empty one; proposals left over cost nothing.
    """
    region, boundary = series.region.mean(axis=2), series.boundary.mean(axis=2)
    weights = {"J": region, "F": boundary, "J&F": (region + boundary) / 2}[by]
    pairs = best_assignment(weights)
    return {series.objects[column]: series.proposals[row] for row, column in pairs}


def score_objects(series: PairSeries, matches: Mapping[int, int]) -> tuple[ObjectScore, ...]:
    """Scores of the objects against the proposals that `matches` gives them, by object id."""
    scores = []
    for column, label in enumerate(series.objects):
        row = series.proposals.index(matches[label])
        region, boundary = series.region[row, column], series.boundary[row, column]
        figures = j_and_f_figures(measures.statistics(region), measures.statistics(boundary))
        matched = matches[label] if matches[label] in series.present else None
        # Copies, so that the pairs that were not matched can be forgotten.
        kept = {"J": region.copy(), "F": boundary.copy()}
        scores.append(ObjectScore(label, matched, figures, kept))
    return tuple(scores)


def score_sequence(
    part: SequencePairs, tables: Sequence[FrameTable], objects: Sequence[int], by: MatchBy = "J&F"
) -> SequenceScore:
    """Match and score the `objects` of one sequence; its figures are the means over them."""
    series = pair_series(tables, objects)
    scores = score_objects(series, match_objects(series, by))
    means = {name: np.mean([score.series[name] for score in scores], axis=0) for name in "JF"}
    figures = mean_figures([score.figures for score in scores])
    return SequenceScore(part.name, figures, part.pairs, means, scores)


@dataclass(frozen=True)
class MatchedReader:
    """Reads a pair as it was scored: proposals have the ids of the objects they were matched with.

    What was not scored, ids of either side that have no partner, is background.

    Attributes:
        read: reads the files.
        matches: folder of the truth -> object -> proposal, None where it has none.
    """

    read: Reader
    matches: Mapping[Path, Mapping[int, int | None]]

    @classmethod
    def of(cls, read: Reader, scores: Sequence[SequenceScore]) -> MatchedReader:
        """The reader for sequences that were scored, each in a folder of its own."""
        matches = {
            score.pairs[0].truth[0].parent: {one.label: one.matched for one in score.objects}
            for score in scores
        }
        return cls(read, matches)

    def __call__(self, pair: FramePair) -> FrameMasks:
        """Return the masks of `pair`.

        Raises:
            InputError: as `read`.
        """
        masks = self.read(pair)
        true_ids, pred_ids = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
        for label, proposal in self.matches[pair.truth[0].parent].items():
            true_ids[label] = label
            if proposal is not None:
                pred_ids[proposal] = label
        return replace(masks, truth=true_ids[masks.truth], pred=pred_ids[masks.pred])


def _overlaps(pred: Labels, truth: Labels, void: Mask | None) -> NDArray[np.int64]:
    """Number of pixels outside void with each pair of ids, [256, 256]: prediction, truth."""
    codes = pred.astype(np.uint16) * np.uint16(256) + truth
    counted = codes.ravel() if void is None else codes[~void]
    return np.bincount(counted, minlength=256 * 256).reshape(256, 256)


def _regions(counts: NDArray[np.int64], proposals: Sequence[int], objects: Sequence[int]) -> Values:
    """J of each pair of ids, from all `_overlaps`; the first id stands for an empty mask."""
    both = counts[np.ix_(proposals, objects)]
    of_pred, of_truth = counts.sum(axis=1)[list(proposals)], counts.sum(axis=0)[list(objects)]
    both[0], both[:, 0], of_pred[0], of_truth[0] = 0, 0, 0, 0
    union = of_pred[:, None] + of_truth[None] - both
    region: Values = np.divide(both, union, out=np.ones(union.shape), where=union > 0)
    return region


def _ids(sizes: NDArray[np.int64]) -> tuple[int, ...]:
    return (0, *(int(label) for label in np.flatnonzero(sizes) if label))


def _outlines(labels: Labels, ids: Sequence[int], void: Mask | None) -> list[Outline]:
    return [measures.outline(labels == label, void) if label else _EMPTY for label in ids]


def _places(wanted: Sequence[int], there: Sequence[int]) -> list[int]:
    places = {label: place for place, label in enumerate(there)}
    return [places.get(label, 0) for label in wanted]
