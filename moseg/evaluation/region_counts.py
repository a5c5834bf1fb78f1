"""Precision and recall of clusters against regions: the measure of the FBMS benchmark.

The computation is in four steps: count how regions and clusters overlap in each frame, add the
frames up, give each region at most one cluster, and take averages over the regions.

Source: Ochs, Malik, Brox, "Segmentation of moving objects by long term video analysis", PAMI
2014, and its tool (version 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.evaluation.assignment import best_assignment

Counts = NDArray[np.float64]
"""float64 [R, C]: weight of the points of each region in each cluster."""

STEPS = 10_000
"""The assignment sees F in whole ten-thousandths, as in the tool."""


@dataclass(frozen=True)
class RegionScore:
    """One region.

    Attributes:
        region, cluster: their places in the counts; the cluster is None where none was left.
        precision, recall, f: of that pair, 0..1.
    """

    region: int
    cluster: int | None
    precision: float
    recall: float
    f: float


@dataclass(frozen=True)
class RegionFigures:
    """One sequence.

    Attributes:
        precision, recall: means over the visible regions, 0..1.
        f: harmonic mean of these two.
        density: mean share of a visible region that has clusters at all, 0..1.
        extracted: regions that a cluster fits better than the threshold, less one for the
            background.
        visible: visible regions, less one for the background.
        regions: the visible ones.
    """

    precision: float
    recall: float
    f: float
    density: float
    extracted: int
    visible: int
    regions: tuple[RegionScore, ...]


def count_overlap(
    regions: NDArray[np.integer],
    clusters: NDArray[np.uint8],
    weights: NDArray[np.floating] | None,
    number: int,
) -> Counts:
    """Counts of one frame, float64 [number, highest cluster + 1].

    Args:
        regions: place of the region of each point, 0..number-1, any shape.
        clusters: cluster of each point, the same shape.
        weights: of each point, the same shape; None: 1 each.
        number: how many regions the sequence has.
    """
    columns = int(clusters.max(initial=0)) + 1
    cells = regions.astype(np.int64) * columns + clusters
    flat = None if weights is None else weights.ravel()
    counts = np.bincount(cells.ravel(), flat, minlength=number * columns)
    return counts.astype(np.float64).reshape(number, columns)


def add_up(frames: Sequence[Counts]) -> Counts:
    """Counts of a sequence from those of its frames, which may know fewer clusters.

    Raises:
        ValueError: there are none, or their regions differ in number.
    """
    if not frames:
        raise ValueError("add_up needs the counts of at least one frame")
    total = np.zeros((len(frames[0]), max(counts.shape[1] for counts in frames)))
    for counts in frames:
        if len(counts) != len(total):
            raise ValueError(f"frames with {len(total)} and {len(counts)} regions")
        total[:, : counts.shape[1]] += counts
    return total


def region_figures(counts: Counts, weights: NDArray[np.float64], threshold: float) -> RegionFigures:
    """Assign clusters to regions and take averages.

    Regions without weight were never visible and count for nothing, as do clusters without
    points. Clusters that are left over count for nothing either; a region that is left over
    counts with precision 1 and recall 0. Recall is of the part of a region that has clusters.

    Args:
        counts: float64 [R, C] of the whole sequence.
        weights: float64 [R], of all points of each region, with a cluster or without.
        threshold: F above which a region counts as extracted.

    Raises:
        ValueError: no region was visible.
    """
    visible = np.flatnonzero(weights > 0)
    if not visible.size:
        raise ValueError("region_figures needs a region with some weight")
    clusters = np.flatnonzero(counts[visible].sum(axis=0) > 0)
    overlap = counts[np.ix_(visible, clusters)]
    precision = _share(overlap, overlap.sum(axis=0, keepdims=True))
    recall = _share(overlap, overlap.sum(axis=1, keepdims=True))
    f = _share(2 * precision * recall, precision + recall)
    given = dict(best_assignment(np.floor(STEPS * f)))
    scores = []
    for row, region in enumerate(visible):
        if row in given:
            cell = row, given[row]
            values = float(precision[cell]), float(recall[cell]), float(f[cell])
            scores.append(RegionScore(int(region), int(clusters[given[row]]), *values))
        else:
            scores.append(RegionScore(int(region), None, 1.0, 0.0, 0.0))
    means = _mean([score.precision for score in scores]), _mean([score.recall for score in scores])
    return RegionFigures(
        precision=means[0],
        recall=means[1],
        f=harmonic_mean(*means),
        density=_mean(overlap.sum(axis=1) / weights[visible]),
        extracted=max(sum(score.f > threshold for score in scores) - 1, 0),
        visible=len(scores) - 1,
        regions=tuple(scores),
    )


def set_figures(sequences: Sequence[RegionFigures]) -> RegionFigures:
    """Figures of a whole set: means, F of mean precision and mean recall, sums of objects.

    Raises:
        ValueError: there are no sequences.
    """
    if not sequences:
        raise ValueError("set_figures needs at least one sequence")
    precision = _mean([figures.precision for figures in sequences])
    recall = _mean([figures.recall for figures in sequences])
    return RegionFigures(
        precision=precision,
        recall=recall,
        f=harmonic_mean(precision, recall),
        density=_mean([figures.density for figures in sequences]),
        extracted=sum(figures.extracted for figures in sequences),
        visible=sum(figures.visible for figures in sequences),
        regions=(),
    )


def harmonic_mean(precision: float, recall: float) -> float:
    """F of precision and recall; 0 where both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    return float(np.mean(values))
