"""Video salient object detection: grey maps against binary masks.

Figures are means over the frames of a video, then over videos; the greatest F and E are those
of the mean curves. Measures: see `moseg.evaluation.saliency`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation import mask_folders, mask_images
from moseg.evaluation.frame_pairs import (
    FrameMasks,
    FramePair,
    SequencePairs,
    fitted,
    listed,
    pair_by_name,
    pair_notes,
)
from moseg.evaluation.frame_pool import Progress, score_frames, unheard
from moseg.evaluation.frame_rules import FrameRule, FrameRuleName, frame_rule
from moseg.evaluation.results import Measure, Ranking, Report, SequenceScore, mean_figures
from moseg.evaluation.saliency import MTNET, PYSODMETRICS, MapScore, SaliencyVariant, score_map
from moseg.evaluation.sequence_lists import find_sequences

VariantName = Literal["mtnet", "pysodmetrics"]
VARIANTS: dict[str, SaliencyVariant] = {"mtnet": MTNET, "pysodmetrics": PYSODMETRICS}
MEASURES = tuple(
    Measure(name, percent=False)
    for name in ("MAE", "maxF", "meanF", "adpF", "S", "maxE", "meanE", "adpE", "wF")
)
KINDS = (".png", ".jpg", ".jpeg")
"""Kinds of prediction files, in order of preference."""

_ODD = {
    0: "all maps are black",
    1: "the maps hold only 0 and 1, that is nearly nothing of 255; write masks as 0 and 255, or "
    "better grey maps",
    255: "the maps hold only 0 and 255: they are masks, and the measures of this protocol are made "
    "for grey maps; F and E are the same at every threshold above 0",
}
"""Greatest code of maps without codes between -> what is odd about them."""

Curve = NDArray[np.float64]


def evaluate_vsod(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    variant: VariantName = "mtnet",
    frames: FrameRuleName = "davis16",
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """Score grey maps of what is salient against binary masks.

    Args:
        pred: `<pred>/<sequence>/<frame>.png` (or jpg): grey, 0 surely background, 255 surely
            foreground. The output folder of `moseg run` is read too, but it holds object ids:
            every object counts as 255, and the figures say little.
        gt: `<gt>/<sequence>/<frame>.png`, or a DAVIS root with `Annotations/480p`.
        sequences: which ones to score; None: those of `davis16-val`, or all of the truth where
            it lacks some of these.
        variant: `mtnet`, or `pysodmetrics`, which stretches each map to 0..255 first.
        frames: which frames count, a key of `FRAME_RULES`.
        workers: processes; None: one for each core. See `frame_pool.score_frames`.
        progress: is told after each frame.

    Files are matched by frame stem. `Report.curves` has F and E of the whole set over 256
    thresholds. Pictures are read one at a time; of each frame of a sequence its measures and
    curves are held, 4 kB.

    Raises:
        InputError: a folder, sequence or file is missing, empty, unreadable, no grey map or of
            another size than the truth; the message names it.
        ConfigError: `variant` or `frames` is unknown.
    """
    if variant not in VARIANTS:
        raise ConfigError(f"variant: {variant!r} is unknown; choose one of {', '.join(VARIANTS)}")
    rule, how = frame_rule(frames), VARIANTS[variant]
    found = find_sequences(pred, mask_folders.truth_root(gt), sequences, "davis16-val")
    found.require_predictions()
    pairs = [_pairs(*folders) for folders in found.folders]
    counting = [_counting(part, rule, found.truth) for part in pairs]
    read = MapReader(how)
    parts = [
        _sequence(part, scores)
        for part, scores in score_frames(MapScorer(read, how), counting, workers, progress)
    ]
    f_curve = np.mean([part.f_curve for part in parts], axis=0)
    e_curve = np.mean([part.e_curve for part in parts], axis=0)
    scores = tuple(part.score for part in parts)
    order = slice(None, None, -1 if how.descending else 1)
    return Report(
        protocol="vsod",
        title="Video salient object detection",
        pred=pred,
        truth=gt,
        rules={
            "frames": rule.sentence,
            "variant": how.sentence,
            "maps": "grey codes 0 to 255; in palette and one-bit images every object is 255",
            "missing": "a frame without a prediction counts as an all-zero map, also the first "
            "or last one of a method that needs flow, where that frame counts",
            "size": "maps have the size of the truth, nothing is resized",
            "mean": "over frames, then videos; maxF and maxE are those of the mean curve",
            "sequences": found.sentence,
        },
        measures=MEASURES,
        figures={
            **mean_figures([score.figures for score in scores]),
            **_curve_figures(f_curve, e_curve),
        },
        sequences=scores,
        notes=(*pair_notes(pairs), *_binary_notes(parts)),
        curves={
            "threshold": np.arange(256.0)[order],
            "F": f_curve[order],
            "E": e_curve[order],
        },
        read=read,
        ranking=Ranking("MAE", low_is_bad=False),
    )


@dataclass(frozen=True)
class MapReader:
    """Reads the codes of a map, and its truth as 1: see `frame_pairs.Reader`."""

    variant: SaliencyVariant

    def __call__(self, pair: FramePair) -> FrameMasks:
        """Read the files of a pair.

        Raises:
            InputError: a file cannot be read or is no grey map, the sizes differ, or all of a
                truth that is not empty lies at or below the level of the variant.
        """
        path = pair.truth[0]
        codes, level = mask_images.read_true_grey(path), self.variant.truth_above
        if 0 < codes.max() <= level:
            raise InputError(
                f"{path}: no value is above {level}, the greatest is {codes.max()}; write the "
                "truth as 0 and 255, or use --variant mtnet, which takes all above 0"
            )
        pred = None if pair.pred is None else mask_images.read_grey(pair.pred)
        return fitted(pred, codes > level, pair)


class _Codes(NamedTuple):
    """What maps hold, in the order of how much it is: the greatest over maps is that of all.

    Attributes:
        between: some code lies between the least and the greatest that a mask has.
        greatest: the greatest code.
    """

    between: bool
    greatest: int


@dataclass(frozen=True)
class MapScorer:
    """Measures of one pair: callable, and can be sent to another process."""

    read: MapReader
    variant: SaliencyVariant

    def __call__(self, pair: FramePair) -> tuple[MapScore, _Codes]:
        """Return the measures, and what codes the map has."""
        masks = self.read(pair)
        greatest = int(masks.pred.max())
        between = bool(((masks.pred > 0) & (masks.pred < greatest)).any()) or 1 < greatest < 255
        score = score_map(masks.pred, masks.truth > 0, self.variant)
        return score, _Codes(between, greatest)


@dataclass(frozen=True)
class _Video:
    score: SequenceScore
    f_curve: Curve
    e_curve: Curve
    codes: _Codes


def _sequence(part: SequencePairs, scored: list[tuple[MapScore, _Codes]]) -> _Video:
    scores = [score for score, _ in scored]
    f_curve = np.mean([score.f_curve for score in scores], axis=0)
    e_curve = np.mean([score.e_curve for score in scores], axis=0)
    series = {
        "MAE": np.array([score.error for score in scores]),
        "adpF": np.array([score.adaptive_f for score in scores]),
        "S": np.array([score.structure for score in scores]),
        "adpE": np.array([score.adaptive_e for score in scores]),
        "wF": np.array([score.weighted_f for score in scores]),
    }
    means = {name: float(values.mean()) for name, values in series.items()}
    figures = means | _curve_figures(f_curve, e_curve)
    ordered = {measure.name: figures[measure.name] for measure in MEASURES}
    score = SequenceScore(part.name, ordered, part.pairs, series)
    return _Video(score, f_curve, e_curve, max(codes for _, codes in scored))


def _curve_figures(f_curve: Curve, e_curve: Curve) -> dict[str, float]:
    return {
        "maxF": float(f_curve.max()),
        "meanF": float(f_curve.mean()),
        "maxE": float(e_curve.max()),
        "meanE": float(e_curve.mean()),
    }


def _binary_notes(videos: Sequence[_Video]) -> list[str]:
    """What is odd about videos whose maps have only the codes of masks."""
    names: dict[int, list[str]] = {}
    for video in videos:
        if not video.codes.between:
            names.setdefault(video.codes.greatest, []).append(video.score.name)
    return [f"{_ODD[greatest]}: {listed(found)}" for greatest, found in sorted(names.items())]


def _pairs(name: str, pred_folder: Path, truth_folder: Path) -> SequencePairs:
    truth = mask_folders.mask_files(truth_folder)
    pred = mask_folders.mask_files(pred_folder, KINDS)
    return pair_by_name(name, pred_folder, pred, truth)


def _counting(part: SequencePairs, rule: FrameRule, truth_root: Path) -> SequencePairs:
    return replace(part, pairs=rule.scored(part.pairs, truth_root / part.name))
