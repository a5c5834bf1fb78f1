"""DAVIS-2016 and its moving part: one foreground object a sequence.

Protocol: Perazzi et al., CVPR 2016. The official tool scores frames 1..T-2, that is all but
the first and the last; published numbers also use other frames, so the report names its rule.
The list of moving sequences is that of Huang et al., "Segment Any Motion in Videos", CVPR
2025, as far as it is in DAVIS-2016; its authors score all frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from moseg.core.errors import InputError
from moseg.evaluation import mask_folders, mask_images
from moseg.evaluation.binary import BY_J, J_AND_F, score_binary
from moseg.evaluation.frame_pairs import (
    FrameMasks,
    FramePair,
    SequencePairs,
    fitted,
    listed,
    pair_folders,
    pair_notes,
)
from moseg.evaluation.frame_pool import Progress, unheard
from moseg.evaluation.frame_rules import FrameRuleName, frame_rule
from moseg.evaluation.results import Report, mean_figures
from moseg.evaluation.sequence_lists import find_sequences


def evaluate_davis16(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    frames: FrameRuleName = "davis16",
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """Score binary masks against DAVIS-2016 annotations.

    Args:
        pred: `<pred>/<sequence>/<frame>.png`, or the output folder of `moseg run`.
        gt: `<gt>/<sequence>/<frame>.png`, or a DAVIS root with `Annotations/480p`.
        sequences: which ones to score; None: those of `davis16-val`, or all of the truth where
            it lacks some of these.
        frames: which frames count, a key of `FRAME_RULES`.
        workers: processes; None: one for each core. See `frame_pool.score_frames`.
        progress: is told after each frame.

    Any value above 0 is foreground. Files are matched by frame stem; a frame without a
    prediction counts as an empty mask and is told in the notes. Frames are read one at a
    time, so memory does not grow with the length of a sequence.

    Raises:
        InputError: a folder, sequence or mask is missing, empty, unreadable or of another
            size than the truth, or the truth is that of DAVIS-2017; the message names it.
        ConfigError: `frames` is not a known rule.
    """
    return _evaluate("davis16", "davis16-val", pred, gt, sequences, frames, workers, progress)


def evaluate_davis16_moving(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    frames: FrameRuleName = "all-frames",
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """The same over `davis16-moving`, by default on all frames. See `evaluate_davis16`."""
    return _evaluate(
        "davis16-moving", "davis16-moving", pred, gt, sequences, frames, workers, progress
    )


_TITLES = {
    "davis16": "DAVIS-2016",
    "davis16-moving": "DAVIS16-Moving (the sequences of DAVIS-2016 in the list of DAVIS17-Moving)",
}


def _evaluate(
    protocol: str,
    benchmark: str,
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None,
    frames: FrameRuleName,
    workers: int | None,
    progress: Progress,
) -> Report:
    rule = frame_rule(frames)
    if mask_folders.is_davis17(gt):
        raise InputError(
            f"{gt}: is of DAVIS-2017, which has other objects and sequences; give the annotations "
            "of DAVIS-2016, or use moseg eval davis17-moving, which also scores all objects as one"
        )
    found = find_sequences(pred, mask_folders.truth_root(gt), sequences, benchmark)
    found.require_predictions()
    pairs = [pair_folders(*folders) for folders in found.folders]
    scores = score_binary(pairs, read_pair, rule, workers, progress)
    return Report(
        protocol=protocol,
        title=_TITLES[protocol],
        pred=pred,
        truth=gt,
        rules={
            "frames": rule.sentence,
            "foreground": "every value above 0, in prediction and truth",
            "missing": "a frame without a prediction counts as an empty mask",
            "sequences": found.sentence,
        },
        measures=J_AND_F,
        figures=mean_figures([score.figures for score in scores]),
        sequences=scores,
        notes=(*pair_notes(pairs), *_content_notes(pairs)),
        read=read_pair,
        ranking=BY_J,
    )


def read_pair(pair: FramePair) -> FrameMasks:
    """Foreground of both as 1. See `frame_pairs.Reader`.

    Raises:
        InputError: a file cannot be read, the sizes differ, or the truth has object ids beside
            255: an annotation of DAVIS-2017 with void pixels.
    """
    truth = mask_images.read_true_foreground(pair.truth[0])
    pred = None if pair.pred is None else mask_images.read_foreground(pair.pred)
    return fitted(pred, truth, pair)


def _content_notes(parts: Sequence[SequencePairs]) -> Iterator[str]:
    """What is odd about the files themselves, by one frame of each sequence."""
    merged, graded = [], []
    for part in parts:
        middle = part.pairs[len(part.pairs) // 2]
        if mask_images.object_count(middle.truth[0]) > 1:
            merged.append(part.name)
        if middle.pred is not None and mask_images.has_grey_levels(middle.pred):
            graded.append(part.name)
    if merged:
        yield (
            "the truth has several objects, here merged into one foreground; DAVIS-2016's own "
            f"has one: {listed(merged)}"
        )
    if graded:
        yield (
            "predictions have grey levels, of which every one above 0 counts as foreground; write "
            f"black and white instead: {listed(graded)}"
        )
