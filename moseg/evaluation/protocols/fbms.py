"""FBMS-59: one foreground a sequence by J and F, and the benchmark's own precision and recall.

Source: Ochs, Malik, Brox, "Segmentation of moving objects by long term video analysis", PAMI
2014. J and F of dense masks are what later methods publish; they are not of the benchmark, and
stand in other tables than its precision and recall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation import mask_folders
from moseg.evaluation.binary import BY_J, J_AND_F, j_and_f_figures, with_trend
from moseg.evaluation.fbms_regions import WHITE, Regions, choose_regions, white_and_black
from moseg.evaluation.fbms_scoring import FbmsReader, FbmsScore, Survey, survey
from moseg.evaluation.fbms_truth import INSIDES, SequenceTruth, find_truth
from moseg.evaluation.frame_numbers import by_number, match_known, match_unknown
from moseg.evaluation.frame_pairs import FramePair, SequencePairs, listed, pair_notes
from moseg.evaluation.frame_pool import Progress, score_frames, unheard
from moseg.evaluation.frame_rules import FrameRule
from moseg.evaluation.region_counts import (
    RegionFigures,
    add_up,
    region_figures,
    set_figures,
)
from moseg.evaluation.results import (
    Measure,
    Report,
    SequenceScore,
    mean_figures,
)
from moseg.evaluation.sequence_lists import find_sequences

FbmsFrames = Literal["all-frames", "mtnet"]

FRAMES: dict[str, FrameRule] = {
    "all-frames": FrameRule(0, 0, 0, "all annotated frames"),
    "mtnet": FrameRule(1, 1, 1, "annotated frames without the first and the last, as MTNet"),
}
"""Which annotated frames count for J and F."""

REGION_MEASURES = (
    *(Measure(name) for name in ("Precision", "Recall", "F-Measure", "Density")),
    *(Measure(name, percent=False, digits=0) for name in ("Extracted", "Visible")),
)
"""The columns of the benchmark's tool."""


def evaluate_fbms(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    frames: FbmsFrames = "all-frames",
    threshold: float = 0.75,
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """Score label masks against the sparse annotation of FBMS-59.

    Args:
        pred: `<pred>/<sequence>/*.png` named like the images, or the output folder of
            `moseg run`: palette or grey, values are object ids.
        gt: the root of the data set (`Testset/<sequence>/GroundTruth`), its `Testset`, the root
            of MTNet's copy (`test/mask/<sequence>`), or any folder of sequence folders.
        sequences: which ones to score; None: those of `fbms-test`, or all of the truth where
            it lacks some of these.
        frames: which annotated frames count for J and F, a key of `FRAMES`. Precision and
            recall are always of all.
        threshold: F above which an object counts as extracted, 0..1.
        workers: processes; None: one for each core. See `frame_pool.score_frames`.
        progress: is told after each frame.

    Predictions are matched to annotated frames by number, and brought to the size of the truth;
    an annotated frame without one counts as an empty mask. Every annotation is read twice:
    first for the colours of the sequence, which say what is background.

    Raises:
        InputError: a folder, sequence or file is missing, empty or unreadable, predictions hold
            colours or are numbered otherwise than the images, or the annotation has no
            background or other colours than its Def file; the message names it.
        ConfigError: `frames` is not a known rule, or the threshold is out of range.
    """
    if frames not in FRAMES:
        raise ConfigError(f"frames: {frames!r} is unknown; choose one of {', '.join(FRAMES)}")
    if not 0 <= threshold <= 1:
        raise ConfigError(f"threshold: {threshold} is not between 0 and 1")
    found = find_sequences(pred, mask_folders.truth_root(gt, INSIDES), sequences, "fbms-test")
    found.require_predictions()
    truths = [find_truth(found.truth, name) for name in found.names]
    matched = [_match(truth, found.pred / truth.name) for truth in truths]
    surveys = [seen for _, seen in score_frames(survey, [m.pairs for m in matched], workers)]
    read = FbmsReader(_regions(truths, surveys))
    pairs = [m.pairs for m in matched]
    scores, regions = _scores(pairs, read, FRAMES[frames], threshold, workers, progress)
    return Report(
        protocol="fbms",
        title="FBMS-59",
        pred=pred,
        truth=gt,
        rules=_rules(FRAMES[frames], threshold, found.sentence),
        measures=(*J_AND_F, *REGION_MEASURES),
        figures=_figures_of_set(scores, regions),
        sequences=scores,
        notes=_notes(truths, matched, surveys, read),
        read=read,
        ranking=BY_J,
    )


@dataclass(frozen=True)
class _Matched:
    pairs: SequencePairs
    from_zero: bool


def _match(truth: SequenceTruth, folder: Path) -> _Matched:
    found = by_number(mask_folders.mask_files(folder))
    if truth.numbers:
        matched, from_zero = match_known(folder, found, truth.frames, truth.numbers)
    else:
        matched, from_zero = match_unknown(folder, found, truth.frames), False
    pairs = tuple(
        FramePair(files[0].stem, files, matched.get(number))
        for number, files in truth.frames.items()
    )
    return _Matched(SequencePairs(truth.name, folder, pairs), from_zero)


def _regions(
    truths: Sequence[SequenceTruth], surveys: Sequence[Sequence[Survey]]
) -> dict[Path, Regions]:
    regions: dict[Path, Regions] = {}
    for truth, found in zip(truths, surveys, strict=True):
        chosen = choose_regions(truth, [frame.colours for frame in found])
        regions |= {files[0].parent: chosen for files in truth.frames.values()}
    return regions


def _scores(
    pairs: Sequence[SequencePairs],
    read: FbmsReader,
    rule: FrameRule,
    threshold: float,
    workers: int | None,
    progress: Progress,
) -> tuple[tuple[SequenceScore, ...], list[RegionFigures]]:
    kept = [rule.scored(part.pairs, part.name) for part in pairs]
    scores, regions = [], []
    scored = score_frames(FbmsScore(read), pairs, workers, progress)
    for counting, (part, frames) in zip(kept, scored, strict=True):
        counts = add_up([frame.counts for frame in frames])
        if not counts.any():
            raise InputError(
                f"{part.pairs[0].truth[-1].parent}: the confidence is 0 everywhere; "
                "get the annotation again from the benchmark"
            )
        # Masks give every pixel a label, so that all of a region is covered.
        regions.append(region_figures(counts, counts.sum(axis=1), threshold))
        dense = rule.scored(frames, part.name)
        region = np.array([frame.region for frame in dense])
        boundary = np.array([frame.boundary for frame in dense])
        trend = rule.trend(len(frames))
        figures = j_and_f_figures(with_trend(region, trend), with_trend(boundary, trend))
        series = {"J": region, "F": boundary}
        scores.append(SequenceScore(part.name, figures | _columns(regions[-1]), counting, series))
    return tuple(scores), regions


def _figures_of_set(
    scores: Sequence[SequenceScore], regions: Sequence[RegionFigures]
) -> dict[str, float]:
    return mean_figures([score.figures for score in scores]) | _columns(set_figures(regions))


def _columns(figures: RegionFigures) -> dict[str, float]:
    values = (
        *(figures.precision, figures.recall, figures.f, figures.density),
        *(float(figures.extracted), float(figures.visible)),
    )
    return {measure.name: value for measure, value in zip(REGION_MEASURES, values, strict=True)}


def _rules(rule: FrameRule, threshold: float, sequences: str) -> dict[str, str]:
    return {
        "tables": "J and F are of dense masks, as later methods publish them; precision, recall, "
        "F-measure, density and objects are the benchmark's own: two tables, never to be mixed",
        "frames": f"J and F: {rule.sentence}; precision and recall: all annotated frames",
        "foreground": "J and F: every label above 0 in the prediction, all but the background in "
        "the truth",
        "background": "of the truth alone, one colour for a whole sequence: black where any "
        "annotated frame has black, else white (all channels above 250)",
        "regions": "those of the Def file, else every colour of the truth; the background is one "
        "of them; pixels count with the confidence (.pgm) that goes with a .ppm",
        "clusters": "every pixel of an annotated frame is a track of one point with the label of "
        "the prediction, 0 too; labels must be the same in all frames of a sequence",
        "assignment": "one cluster a region at most, by F of the whole sequence; clusters left "
        "over are ignored, a region left over counts as precision 1 and recall 0",
        "objects": f"extracted: regions with F above {threshold:g}, less one; "
        "visible: regions in the truth, less one; both summed over the set",
        "set": "J and F: mean over sequences; F-measure: of mean precision and mean recall",
        "matching": "by frame number: the digits after the first `_` of a name, else the first "
        "digits",
        "size": "a prediction of another size is brought to that of the truth, nearest pixel",
        "missing": "an annotated frame without a prediction counts as an empty mask",
        "sequences": sequences,
    }


def _notes(
    truths: Sequence[SequenceTruth],
    matched: Sequence[_Matched],
    surveys: Sequence[Sequence[Survey]],
    read: FbmsReader,
) -> tuple[str, ...]:
    pairs = [match.pairs for match in matched]
    white = [part.name for part in pairs if read.regions_of(part.pairs[0]).background == WHITE]
    both = [
        part.name
        for part, found in zip(pairs, surveys, strict=True)
        if white_and_black([frame.colours for frame in found])
    ]
    uncertain = [
        truth.name
        for truth in truths
        if any(f[0].suffix.lower() == ".ppm" and len(f) == 1 for f in truth.frames.values())
    ]
    shifted = [match.pairs.name for match in matched if match.from_zero]
    told = (
        (white, "white is the background of the truth"),
        (both, "the truth has black and white, and black is taken as its background"),
        (uncertain, "no confidence (.pgm) beside some .ppm, whose pixels count fully"),
        (shifted, "predictions are numbered from 0, not like the images; matched in this order"),
    )
    return (
        *(f"{sentence}: {listed(names)}" for names, sentence in told if names),
        *(
            note
            for part, found in zip(pairs, surveys, strict=True)
            for note in _resized(part.name, found)
        ),
        *pair_notes(pairs),
    )


def _resized(name: str, found: Sequence[Survey]) -> list[str]:
    other = [frame for frame in found if frame.pred_size != frame.size]
    if not other:
        return []
    (height, width), pred = other[0].size, other[0].pred_size
    return [
        f"{name}: predictions of {len(other)} of {len(found)} annotated frames have another size "
        f"than the truth ({pred[1]}x{pred[0]}, not {width}x{height}) and were brought to it"
    ]
