"""DAVIS-2016: one foreground object a sequence, J and F of predicted masks.

Protocol: Perazzi et al., CVPR 2016. The official tool scores frames 1..T-2, that is all but
the first and the last; published numbers also use other frames, so the report names its rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation import mask_folders, measures
from moseg.evaluation.measures import Mask, Series, Statistics

FrameRuleName = Literal["davis16", "all-frames", "mtnet"]


@dataclass(frozen=True)
class FrameRule:
    """Which frames of a sequence count, given as numbers left out at both ends.

    `last` is left out of the mean, `last_of_trend` of recall and decay.
    """

    first: int
    last: int
    last_of_trend: int
    sentence: str


FRAME_RULES: dict[str, FrameRule] = {
    "davis16": FrameRule(1, 1, 1, "frames 1..T-2 (first and last left out), as DAVIS-2016"),
    "all-frames": FrameRule(0, 0, 0, "all frames 0..T-1"),
    "mtnet": FrameRule(1, 0, 1, "mean over frames 1..T-1, recall and decay over 1..T-2, as MTNet"),
}


@dataclass(frozen=True)
class SequenceScore:
    """J and F of one sequence.

    `frames` names the frames scored; `region_series` and `boundary_series` hold J and F of
    each of them, float64 [len(frames)]. `missing` names those without a prediction.
    """

    name: str
    region: Statistics
    boundary: Statistics
    frames: tuple[str, ...]
    region_series: Series
    boundary_series: Series
    missing: tuple[str, ...]

    @property
    def j_and_f(self) -> float:
        """Mean of the J mean and the F mean."""
        return (self.region.mean + self.boundary.mean) / 2


@dataclass(frozen=True)
class Davis16Report:
    """J and F of a set of sequences; `region` and `boundary` are means over sequences.

    `frame_rule` is the sentence that says which frames count. `notes` are sentences about
    what a reader must know before quoting the figures.
    """

    pred: Path
    truth: Path
    frames: FrameRuleName
    frame_rule: str
    sequences: tuple[SequenceScore, ...]
    region: Statistics
    boundary: Statistics
    notes: tuple[str, ...]

    @property
    def j_and_f(self) -> float:
        """Mean of the J mean and the F mean."""
        return (self.region.mean + self.boundary.mean) / 2


def evaluate_davis16(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    frames: FrameRuleName = "davis16",
) -> Davis16Report:
    """Score binary masks against DAVIS-2016 annotations.

    Args:
        pred: `<pred>/<sequence>/<frame>.png`, or the output folder of `moseg run`.
        gt: `<gt>/<sequence>/<frame>.png`, or a DAVIS root with `Annotations/480p`.
        sequences: which ones to score; by default every sequence of the ground truth.
        frames: which frames count, a key of `FRAME_RULES`.

    Any value above 0 is foreground. Files are matched by frame stem; a frame without a
    prediction counts as an empty mask and is told in the notes. Frames are read one at a
    time, so memory does not grow with the length of a sequence.

    Raises:
        InputError: a folder, sequence or mask is missing, empty, unreadable or of another
            size than the truth; the message names it.
        ConfigError: `frames` is not a known rule.
    """
    if frames not in FRAME_RULES:
        raise ConfigError(f"frames: {frames!r} is unknown; choose one of {', '.join(FRAME_RULES)}")
    truth_root, pred_root = mask_folders.truth_root(gt), mask_folders.prediction_root(pred)
    names = _choose(sequences, mask_folders.sequence_folders(truth_root), truth_root)
    _check_predicted(names, pred_root)
    rule = FRAME_RULES[frames]
    scores = [_score(pred_root / name, truth_root / name, rule) for name in names]
    return Davis16Report(
        pred=pred,
        truth=gt,
        frames=frames,
        frame_rule=rule.sentence,
        sequences=tuple(scores),
        region=measures.mean_statistics([score.region for score in scores]),
        boundary=measures.mean_statistics([score.boundary for score in scores]),
        notes=tuple(_notes(scores)),
    )


def _choose(wanted: Sequence[str] | None, known: list[str], root: Path) -> list[str]:
    if wanted is None:
        return known
    names = list(dict.fromkeys(wanted))
    if not names:
        raise InputError("no sequences to score: the list is empty; name at least one")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"{root}: the ground truth has no sequence {_listed(unknown)}; it has {_listed(known)}"
        )
    return names


def _check_predicted(names: list[str], pred_root: Path) -> None:
    missing = [name for name in names if not (pred_root / name).is_dir()]
    if missing:
        raise InputError(
            f"{pred_root}: no predictions for {_listed(missing)} "
            f"({len(missing)} of {len(names)} sequences); predict them, or choose the sequences "
            "to score with --sequences a,b or --sequences FILE (one name a line)"
        )


def _score(pred_folder: Path, truth_folder: Path, rule: FrameRule) -> SequenceScore:
    truth = mask_folders.mask_files(truth_folder)
    pred = mask_folders.mask_files(pred_folder)
    if not truth.keys() & pred.keys():
        raise InputError(
            f"{pred_folder}: no mask is named like a frame of the truth; "
            f"rename them (found {next(iter(pred))}.png, truth has {next(iter(truth))}.png)"
        )
    stems = list(truth)[rule.first : len(truth) - rule.last]
    trend = len(truth) - rule.first - rule.last_of_trend
    if trend < 1:
        raise InputError(
            f"{truth_folder}: {len(truth)} frames are too few, none is left to score "
            f"({rule.sentence}); use --frames all-frames or leave this sequence out"
        )
    region, boundary = np.empty(len(stems)), np.empty(len(stems))
    for index, (shown, true) in enumerate(_pairs(stems, pred, truth)):
        region[index] = measures.region_similarity(shown, true)
        boundary[index] = measures.boundary_measure(shown, true)
    return SequenceScore(
        name=truth_folder.name,
        region=_statistics(region, trend),
        boundary=_statistics(boundary, trend),
        frames=tuple(stems),
        region_series=region,
        boundary_series=boundary,
        missing=tuple(stem for stem in stems if stem not in pred),
    )


def _pairs(
    stems: list[str], pred: dict[str, Path], truth: dict[str, Path]
) -> Iterator[tuple[Mask, Mask]]:
    """Predicted and true foreground of each frame, bool [H, W]; empty where none is predicted."""
    for stem in stems:
        true = mask_folders.read_foreground(truth[stem])
        if stem not in pred:
            yield np.zeros_like(true), true
            continue
        shown = mask_folders.read_foreground(pred[stem])
        if shown.shape != true.shape:
            raise InputError(
                f"{pred[stem]}: the mask is {_size(shown)} but the truth is {_size(true)}; "
                "write predictions at the size of the annotation"
            )
        yield shown, true


def _statistics(series: Series, trend: int) -> Statistics:
    over_mean, over_trend = measures.statistics(series), measures.statistics(series[:trend])
    return Statistics(over_mean.mean, over_trend.recall, over_trend.decay)


def _notes(scores: list[SequenceScore]) -> list[str]:
    return [
        f"{score.name}: {len(score.missing)} of {len(score.frames)} frames have no prediction "
        f"and count as empty masks: {_listed(score.missing)}"
        for score in scores
        if score.missing
    ]


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _size(mask: Mask) -> str:
    return f"{mask.shape[1]}x{mask.shape[0]}"
