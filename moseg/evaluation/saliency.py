"""Measures of one grey map against a binary truth, for video salient object detection.

Sources: F of thresholds with beta squared 0.3: Achanta et al., "Frequency-tuned Salient Region
Detection", CVPR 2009; S-measure: Fan et al., "Structure-measure: A New Way to Evaluate
Foreground Maps", ICCV 2017; E-measure: Fan et al., "Enhanced-alignment Measure for Binary
Foreground Map Evaluation", IJCAI 2018; weighted F: see `weighted_f`.

All but the weighted F depend only on how many pixels of each code lie on the truth and off it,
for S in each of four rectangles. So they are counted once, and curves over 256 thresholds are
running sums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moseg.evaluation.frame_pairs import Labels, Mask
from moseg.evaluation.weighted_f import weighted_f

Counts = NDArray[np.int64]
"""[2, 256]: pixels of each code, in row 0 off the truth, in row 1 on it."""
Float = NDArray[np.float64]

BETA_SQUARED = 0.3
"""Weight of recall in F: precision counts more."""
TINY = 1e-300
"""Stands in for a denominator of 0 below a numerator of 0."""
_CODES = np.arange(256)


@dataclass(frozen=True)
class SaliencyVariant:
    """Where two programs in use compute differently.

    Attributes:
        sentence: what a reader must know.
        truth_above: codes of the truth above this are foreground.
        stretch: each map is spread to 0..1 by its least and greatest code (min-max).
        past_centroid: pixels from the rounded centroid of the truth to where S is cut.
        empty_share: below this share of foreground, S takes the truth as empty.
        one_sided_e: where the truth is all background (or all foreground), E is the share of
            pixels that are predicted so; else it is a quarter whatever is predicted.
        descending: curves run from threshold 255 down to 0.
    """

    sentence: str
    truth_above: int
    stretch: bool
    past_centroid: int
    empty_share: float
    one_sided_e: bool
    descending: bool


MTNET = SaliencyVariant(
    sentence="as MTNet's evaluator: maps as they are, truth above 0, thresholds ascending",
    truth_above=0,
    stretch=False,
    past_centroid=0,
    empty_share=1e-4,
    one_sided_e=False,
    descending=False,
)
PYSODMETRICS = SaliencyVariant(
    sentence="as pysodmetrics 1.6: each map spread to 0..255 by its own least and greatest value, "
    "truth above 128, thresholds descending",
    truth_above=128,
    stretch=True,
    past_centroid=1,
    empty_share=0.0,
    one_sided_e=True,
    descending=True,
)


class MapScore(NamedTuple):
    """Measures of one map. The curves are float64 [256], over ascending thresholds."""

    error: float
    structure: float
    adaptive_f: float
    adaptive_e: float
    weighted_f: float
    f_curve: Float
    e_curve: Float


def score_map(codes: Labels, truth: Mask, variant: SaliencyVariant) -> MapScore:
    """All measures of a map, codes uint8 [H, W] against bool [H, W].

    Raises:
        ValueError: the sizes differ.
    """
    if codes.shape != truth.shape:
        raise ValueError(f"a map of {codes.shape} cannot be scored against {truth.shape}")
    cut = _centroid(truth, variant.past_centroid)
    parts = [count_codes(codes[part], truth[part]) for part in _quarters(*cut)]
    counts = np.sum(parts, axis=0)
    scale = _Scale.of(counts, variant.stretch)
    passed = _passed(counts, scale.steps)
    adaptive = counts[:, scale.values >= min(2 * scale.mean(counts), 1.0)].sum(axis=1)
    return MapScore(
        error=mean_error(counts, scale.values),
        structure=_structure(parts, scale, variant.empty_share),
        adaptive_f=float(f_of(adaptive, counts)),
        adaptive_e=float(e_of(adaptive, counts, variant.one_sided_e)),
        weighted_f=weighted_f(scale.values[codes], truth),
        f_curve=f_of(passed, counts),
        e_curve=e_of(passed, counts, variant.one_sided_e),
    )


def count_codes(codes: Labels, truth: Mask) -> Counts:
    """How many pixels have each code, off the truth and on it; of any shape, none included."""
    both = codes.ravel() + np.uint16(256) * truth.ravel()
    return np.bincount(both, minlength=512).reshape(2, 256)


def mean_error(counts: Counts, values: Float) -> float:
    """MAE: mean distance of the map's `values` of codes, float64 [256] in 0..1, from the truth."""
    off, on = counts
    return float((off @ values + on @ (1 - values)) / counts.sum())


def f_of(passed: NDArray[np.int64], counts: Counts) -> Float:
    """F of binary maps: 0 where no pixel of the truth is predicted.

    Args:
        passed: [2, ...], how many pixels are predicted, off the truth and on it.
        counts: of the whole picture.
    """
    off, on = passed
    # (1 + b) P R / (b P + R) with P = on / (off + on) and R = on / truth.
    weighed = np.maximum(BETA_SQUARED * counts[1].sum() + off + on, TINY)
    return np.asarray((1 + BETA_SQUARED) * on / weighed, np.float64)


def e_of(passed: NDArray[np.int64], counts: Counts, one_sided: bool) -> Float:
    """E of binary maps; arguments as of `f_of` and `SaliencyVariant`."""
    off, on = passed
    background, foreground = (int(part) for part in counts.sum(axis=1))
    pixels = background + foreground
    others = max(pixels - 1, 1)
    if one_sided and foreground == 0:
        return np.asarray((background - off) / others, np.float64)
    if one_sided and background == 0:
        return np.asarray(on / others, np.float64)
    true, marked = foreground / pixels, (off + on) / pixels
    agreement = (
        on * _aligned(1 - true, 1 - marked)
        + off * _aligned(-true, 1 - marked)
        + (foreground - on) * _aligned(1 - true, -marked)
        + (background - off) * _aligned(-true, -marked)
    )
    return np.asarray(agreement / others, np.float64)


def _aligned(true: float, marked: Float) -> Float:
    """How well two values, less the mean of their picture, agree: 0..1."""
    squares = np.maximum(true * true + marked * marked, TINY)
    return np.asarray((2 * true * marked / squares + 1) ** 2 / 4, np.float64)


def _passed(counts: Counts, steps: NDArray[np.intp]) -> NDArray[np.int64]:
    """[2, 256]: pixels at or above each threshold, off the truth and on it."""
    at = np.stack([np.bincount(steps, weights=row, minlength=256) for row in counts])
    return np.cumsum(at[:, ::-1], axis=1)[:, ::-1].astype(np.int64)


@dataclass(frozen=True)
class _Scale:
    """What codes are worth: (code - low) / span.

    Attributes:
        values: float64 [256], the worth of each code, 0..1 for those in the map.
        steps: [256], the highest threshold that each code passes.
    """

    low: int
    span: int
    values: Float
    steps: NDArray[np.intp]

    @classmethod
    def of(cls, counts: Counts, stretch: bool) -> _Scale:
        """The scale of one map; a map of one code is not stretched."""
        there = np.flatnonzero(counts.sum(axis=0))
        low, high = int(there[0]), int(there[-1])
        if not stretch or low == high:
            low, high = 0, 255
        values = (_CODES / 255 - low / 255) / (high / 255 - low / 255)
        # Rounded down, as pysodmetrics does; without stretching these are the codes.
        steps = np.clip(values * 255, 0, 255).astype(np.intp)
        return cls(low, high - low, values, steps)

    def mean(self, counts: Counts) -> float:
        """Mean worth of the pixels counted."""
        return (int((counts @ _CODES).sum()) / int(counts.sum()) - self.low) / self.span

    def variance(self, row: NDArray[np.int64]) -> float:
        """Variance with n - 1 of the worth of pixels, from how many have each code."""
        total, squares, pixels = _sums(row)
        return _moment(squares, total, total, pixels) / self.span**2


def _structure(parts: list[Counts], scale: _Scale, empty_share: float) -> float:
    """S-measure, from the counts of the four rectangles around the centroid of the truth."""
    counts = np.sum(parts, axis=0)
    share = int(counts[1].sum()) / int(counts.sum())
    if share == 0 or share < empty_share:
        return 1 - scale.mean(counts)
    if share == 1:
        return scale.mean(counts)
    (off, on), (low, high) = counts, (scale.mean(counts[:1]), scale.mean(counts[1:]))
    objects = share * _object(high, scale.variance(on))
    objects += (1 - share) * _object(1 - low, scale.variance(off))
    regions = sum(part.sum() / counts.sum() * _likeness(part, scale) for part in parts)
    return max(0.0, float(0.5 * objects + 0.5 * regions))


def _object(mean: float, variance: float) -> float:
    """How high and even a map is on an object."""
    return 2 * mean / (mean * mean + 1 + math.sqrt(variance))


def _likeness(part: Counts, scale: _Scale) -> float:
    """Structural similarity of map and truth in one rectangle; 0 in one without pixels.

    Sums are whole numbers, so what is constant has a variance of exactly 0.
    """
    codes = part.sum(axis=0)
    total, _, pixels = _sums(codes)
    if pixels == 0:
        return 0.0
    on_truth, _, foreground = _sums(part[1])
    mean, share = scale.mean(part), foreground / pixels
    together = _moment(on_truth, total, foreground, pixels) / scale.span
    numerator = 4 * mean * share * together
    variance = scale.variance(codes) + _moment(foreground, foreground, foreground, pixels)
    denominator = (mean * mean + share * share) * variance
    if numerator != 0:
        return numerator / denominator
    return 1.0 if denominator == 0 else 0.0


def _sums(row: NDArray[np.int64]) -> tuple[int, int, int]:
    """Sum of the codes, of their squares, and number of pixels, from pixels of each code."""
    return int(row @ _CODES), int(row @ (_CODES * _CODES)), int(row.sum())


def _moment(products: int, first: int, second: int, pixels: int) -> float:
    """Covariance with n - 1, from sums over pixels; 0 for one pixel."""
    if pixels < 2:
        return 0.0
    return (pixels * products - first * second) / (pixels * (pixels - 1))


def _centroid(truth: Mask, past: int) -> tuple[int, int]:
    """Row and column at which S is cut: the rounded centroid, or the middle of an empty truth."""
    rows, columns = np.count_nonzero(truth, axis=1), np.count_nonzero(truth, axis=0)
    pixels = int(rows.sum())
    if pixels == 0:
        return round(truth.shape[0] / 2) + past, round(truth.shape[1] / 2) + past
    row, column = (int(line @ np.arange(len(line))) / pixels for line in (rows, columns))
    return round(row) + past, round(column) + past


def _quarters(row: int, column: int) -> list[tuple[slice, slice]]:
    """The four rectangles that meet at a pixel's upper left corner; some may be empty."""
    above, below = slice(None, row), slice(row, None)
    left, right = slice(None, column), slice(column, None)
    return [(above, left), (above, right), (below, left), (below, right)]
