"""Whole protocols against the official DAVIS-2017 package (fixture `davis_evaluation`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.evaluation import measures
from moseg.evaluation.assignment import best_assignment
from moseg.evaluation.binary import J_AND_F, score_binary
from moseg.evaluation.frame_pairs import FrameMasks, SequencePairs
from moseg.evaluation.frame_rules import FRAME_RULES
from moseg.evaluation.objects import PairSeries, compare_objects, pair_series, score_objects
from moseg.evaluation.protocols import davis17
from moseg.evaluation.results import Figures, ObjectScore, Report, mean_figures
from tests import parity
from tests.evaluation.folders import numbered, write_labels

FILES = parity.cases("davis_evaluation", "io*.npz")
DAVIS16 = FRAME_RULES["davis16"]

Found = dict[str, Any]


class Case:
    """The arrays of one file, and the reports on the DAVIS tree that is made of them."""

    def __init__(self, file: Path, folder: Path) -> None:
        with np.load(file) as stored:
            self.arrays = dict(stored)
        self.names = [name[6:] for name in self.arrays if name.startswith("in_gt_")]
        self.truth, self.pred = folder / "DAVIS", folder / "results"
        for name in self.names:
            annotations = self.truth / "Annotations_unsupervised/480p" / name
            write_labels(annotations, numbered(self.arrays[f"in_gt_{name}"]))
            write_labels(self.pred / name, numbered(self.arrays[f"in_pred_{name}"]))
        self.unsupervised = davis17.evaluate_davis17_unsupervised(self.pred, self.truth, workers=1)

    def moving(self, void_as_foreground: bool) -> Report:
        return davis17.evaluate_davis17_moving(
            self.pred, self.truth, void_as_foreground=void_as_foreground, workers=1
        )

    def outputs(self, start: str) -> list[str]:
        return [name[4:] for name in self.arrays if name.startswith(f"out_{start}")]

    def series(self, name: str) -> PairSeries:
        """Every proposal against every object of one sequence, void excluded."""
        part = next(score for score in self.unsupervised.sequences if score.name == name)
        tables = [compare_objects(davis17.read_pair(pair)) for pair in part.pairs]
        return pair_series(tables, [one.label for one in part.objects])


def pairs_and_matches(case: Case) -> Found:
    found: Found = {}
    for score in case.unsupervised.sequences:
        series = case.series(score.name)
        pairs = best_assignment((series.region + series.boundary).mean(axis=2) / 2)
        by_object = {one.label: one for one in score.objects}
        in_order = [by_object[series.objects[column]].figures for _, column in pairs]
        found |= {
            f"J_pairs_{score.name}": series.region,
            f"F_pairs_{score.name}": series.boundary,
            f"match_{score.name}": pairs,
            f"stats_{score.name}": [rows(figures) for figures in in_order],
        }
    return found


def global_figures(case: Case) -> Found:
    found: Found = {"unsup_global": values(case.unsupervised.figures)}
    for name in case.outputs("semi_shift_"):
        down, right = name.split("_")[2:4]
        found[name] = values(semi_supervised(case, (whole(down), whole(right))))
    return found


def semi_supervised(case: Case, shift: tuple[int, int]) -> dict[str, float]:
    """Id against id, void being background, of a truth that is shifted; ends left out."""
    found: list[ObjectScore] = []
    for name in case.names:
        labels = case.arrays[f"in_gt_{name}"]
        truth = np.where(labels == davis17.VOID, np.uint8(0), labels)
        pred = np.roll(truth, shift, axis=(1, 2))
        tables = [compare_objects(FrameMasks(*both)) for both in zip(truth, pred, strict=True)]
        objects = range(1, max(tables[0].objects) + 1)
        series = pair_series(DAVIS16.scored(tables, name), objects)
        found += score_objects(series, {label: label for label in objects})
    return mean_figures([one.figures for one in found])


def unions(case: Case) -> Found:
    found: Found = {}
    for suffix, void_as_foreground in (("void_excluded", False), ("void_as_fg", True)):
        for score in case.moving(void_as_foreground).sequences:
            found[f"union_J_{suffix}_{score.name}"] = score.series["all J"]
            found[f"union_F_{suffix}_{score.name}"] = score.series["all F"]
    parts = [
        SequencePairs(score.name, case.pred, score.pairs) for score in case.unsupervised.sequences
    ]
    for one in score_binary(parts, davis17.read_pair, DAVIS16, workers=1):
        found[f"union_davis16_{one.name}"] = rows(one.figures)
    return found


def single_functions(case: Case) -> Found:
    series = measures.statistics(case.arrays["in_series"].astype(np.float64))
    found: Found = {"series_stats": [series.mean, series.recall, series.decay]}
    for name in case.outputs("boundary_"):
        place = name.removeprefix("boundary_")
        sequence = place.rstrip("0123456789")
        mask = case.arrays[f"in_gt_{sequence}"][int(place.removeprefix(sequence))] == 1
        found[name] = measures.boundary_map(mask)
    return found


def whole(text: str) -> int:
    """Number whose sign is written as m, as in m1."""
    return int(text.replace("m", "-"))


def values(figures: Figures) -> list[float]:
    return [figures[measure.name] for measure in J_AND_F]


def rows(figures: Figures) -> NDArray[np.float64]:
    """(J, F), each mean, recall and decay."""
    return np.array(values(figures)[1:]).reshape(2, 3)


PARTS: Sequence[Callable[[Case], Found]] = (
    pairs_and_matches,
    global_figures,
    unions,
    single_functions,
)


@pytest.mark.parity
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("file", FILES)
def test_outputs_equal_the_official_ones(
    file: Path, part: Callable[[Case], Found], tmp_path: Path
) -> None:
    case = Case(file, tmp_path)
    for name, found in part(case).items():
        expected = case.arrays[f"out_{name}"]
        assert np.shape(found) == expected.shape, name
        np.testing.assert_allclose(
            np.asarray(found, np.float64), expected.astype(np.float64), 0, 1e-9, err_msg=name
        )


@pytest.mark.parity
@pytest.mark.parametrize("file", FILES)
def test_no_output_is_overlooked(file: Path, tmp_path: Path) -> None:
    case = Case(file, tmp_path)
    compared = {f"out_{name}" for part in PARTS for name in part(case)}
    assert compared == {name for name in case.arrays if name.startswith("out_")}
