"""J, F, statistics and matching against the official DAVIS-2017 functions (`davis_metrics`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.evaluation import measures
from moseg.evaluation.assignment import best_assignment
from moseg.evaluation.binary import J_AND_F
from moseg.evaluation.frame_pairs import FrameMasks, Labels
from moseg.evaluation.objects import (
    PairSeries,
    compare_objects,
    match_objects,
    pair_series,
    score_objects,
)
from moseg.evaluation.results import ObjectScore
from tests import parity

Arrays = dict[str, NDArray[np.generic]]
FILES = parity.cases("davis_metrics")
VOID = 255


def per_frame(measure: Callable[..., float], arrays: Arrays, with_void: bool) -> list[float]:
    pred, truth = arrays["in_pred"].astype(bool), arrays["in_gt"].astype(bool)
    void = arrays["in_void"].astype(bool) if with_void else [None] * len(pred)
    return [measure(*frame) for frame in zip(pred, truth, void, strict=True)]


def boundary_at_2px(pred: measures.Mask, truth: measures.Mask, void: measures.Mask | None) -> float:
    return measures.boundary_measure(pred, truth, void, bound_pixels=2)


def series_figures(arrays: Arrays) -> list[float]:
    found = measures.statistics(arrays["in_series"].astype(np.float64))
    return [found.mean, found.recall, found.decay]


def several(arrays: Arrays, proposals: str, with_void: bool) -> PairSeries:
    """Every proposal against every object of the truth."""
    tables = []
    truth = arrays["in_labels"].astype(np.uint8)
    for labels, pred in zip(truth, arrays[proposals].astype(np.uint8), strict=True):
        void = labels == VOID
        objects: Labels = np.where(void, np.uint8(0), labels)
        tables.append(compare_objects(FrameMasks(objects, pred, void if with_void else None)))
    return pair_series(tables, range(1, max(tables[0].objects) + 1))


def score_matrix(arrays: Arrays) -> NDArray[np.float64]:
    series = several(arrays, "in_proposals", True)
    mean: NDArray[np.float64] = (series.region + series.boundary).mean(axis=2) / 2
    return mean


def one_based(arrays: Arrays, place: int) -> list[int]:
    """Rows (0) or columns (1) of the best assignment, in the order of rows."""
    return [pair[place] + 1 for pair in best_assignment(score_matrix(arrays))]


def unsupervised(arrays: Arrays, proposals: str = "in_proposals") -> list[ObjectScore]:
    """Scores in the order of the matched proposals, as the official tool has them."""
    series = several(arrays, proposals, True)
    matches = match_objects(series)
    return sorted(score_objects(series, matches), key=lambda one: matches[one.label])


def semi_supervised(arrays: Arrays) -> tuple[ObjectScore, ...]:
    """Id against id, void being background."""
    series = several(arrays, "in_proposals", False)
    return score_objects(series, {label: label for label in series.objects})


def series_of(scores: Sequence[ObjectScore], measure: str) -> list[NDArray[np.float64]]:
    return [one.series[measure] for one in scores]


OUTPUTS: dict[str, Callable[[Arrays], object]] = {
    "J": lambda arrays: per_frame(measures.region_similarity, arrays, False),
    "F": lambda arrays: per_frame(measures.boundary_measure, arrays, False),
    "J_void": lambda arrays: per_frame(measures.region_similarity, arrays, True),
    "F_void": lambda arrays: per_frame(measures.boundary_measure, arrays, True),
    "F_bound2px": lambda arrays: per_frame(boundary_at_2px, arrays, False),
    "series_MRD": series_figures,
    "score_matrix": score_matrix,
    "match_proposal": lambda arrays: one_based(arrays, 0),
    "match_object": lambda arrays: one_based(arrays, 1),
    "unsup_J": lambda arrays: series_of(unsupervised(arrays), "J"),
    "unsup_F": lambda arrays: series_of(unsupervised(arrays), "F"),
    "unsup_stats": lambda arrays: [
        [one.figures[measure.name] for measure in J_AND_F[1:]] for one in unsupervised(arrays)
    ],
    "few_J": lambda arrays: series_of(unsupervised(arrays, "in_proposals_few"), "J"),
    "few_F": lambda arrays: series_of(unsupervised(arrays, "in_proposals_few"), "F"),
    "semi_J": lambda arrays: series_of(semi_supervised(arrays), "J"),
    "semi_F": lambda arrays: series_of(semi_supervised(arrays), "F"),
}


@pytest.mark.parity
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("file", FILES)
def test_output_equals_the_official_one(file: Path, output: str) -> None:
    with np.load(file) as stored:
        arrays = dict(stored)
    found = np.asarray(OUTPUTS[output](arrays))
    assert found.shape == arrays[f"out_{output}"].shape
    np.testing.assert_allclose(found, arrays[f"out_{output}"], rtol=0, atol=1e-9)


@pytest.mark.parity
@pytest.mark.parametrize("file", FILES)
def test_no_output_is_overlooked(file: Path) -> None:
    with np.load(file) as stored:
        outputs = {name.removeprefix("out_") for name in stored if name.startswith("out_")}
    assert outputs == set(OUTPUTS)
