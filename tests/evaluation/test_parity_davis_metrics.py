"""J, F and statistics against the official DAVIS-2017 functions (fixture `davis_metrics`)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.evaluation import measures

FOLDER = (
    Path(os.environ.get("MOSEG_FIXTURES") or Path(__file__).parents[3] / "shared/fixtures")
    / "davis_metrics"
)
FILES = sorted(FOLDER.glob("*.npz"))

LEFT_FOR_LATER = {
    "score_matrix",
    "match_proposal",
    "match_object",
    "unsup_J",
    "unsup_F",
    "unsup_stats",
    "few_J",
    "few_F",
    "semi_J",
    "semi_F",
}
"""Outputs of the protocols with several objects; the full suite comes with a later issue."""

Arrays = dict[str, NDArray[np.generic]]


def per_frame(measure: Callable[..., float], arrays: Arrays, with_void: bool) -> list[float]:
    pred, truth = arrays["in_pred"].astype(bool), arrays["in_gt"].astype(bool)
    void = arrays["in_void"].astype(bool) if with_void else [None] * len(pred)
    return [measure(*frame) for frame in zip(pred, truth, void, strict=True)]


def boundary_at_2px(pred: measures.Mask, truth: measures.Mask, void: measures.Mask | None) -> float:
    return measures.boundary_measure(pred, truth, void, bound_pixels=2)


def series_figures(arrays: Arrays) -> list[float]:
    found = measures.statistics(arrays["in_series"].astype(np.float64))
    return [found.mean, found.recall, found.decay]


SINGLE_OBJECT: dict[str, Callable[[Arrays], list[float]]] = {
    "J": lambda arrays: per_frame(measures.region_similarity, arrays, False),
    "F": lambda arrays: per_frame(measures.boundary_measure, arrays, False),
    "J_void": lambda arrays: per_frame(measures.region_similarity, arrays, True),
    "F_void": lambda arrays: per_frame(measures.boundary_measure, arrays, True),
    "F_bound2px": lambda arrays: per_frame(boundary_at_2px, arrays, False),
    "series_MRD": series_figures,
}


@pytest.mark.parity
@pytest.mark.skipif(not FILES, reason=f"no fixtures in {FOLDER}; set MOSEG_FIXTURES")
@pytest.mark.parametrize("output", SINGLE_OBJECT)
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_single_object_output_equals_the_official_one(file: Path, output: str) -> None:
    with np.load(file) as stored:
        arrays = dict(stored)
    found = SINGLE_OBJECT[output](arrays)
    np.testing.assert_allclose(found, arrays[f"out_{output}"], rtol=0, atol=1e-9)


@pytest.mark.parity
@pytest.mark.skipif(not FILES, reason=f"no fixtures in {FOLDER}; set MOSEG_FIXTURES")
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_no_output_is_overlooked(file: Path) -> None:
    with np.load(file) as stored:
        outputs = {name.removeprefix("out_") for name in stored if name.startswith("out_")}
    assert outputs == set(SINGLE_OBJECT) | LEFT_FOR_LATER
