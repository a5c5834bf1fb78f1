"""SegTrack v2: the union of the objects of each sequence, in all frames.

Data: Li, Kim, Humayun, Tsai, Rehg, "Video segmentation by tracking many figure-ground
segments", ICCV 2013.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError
from moseg.core.naming import natural_key
from moseg.evaluation import mask_folders, mask_images
from moseg.evaluation.binary import BY_J, J_AND_F, score_binary
from moseg.evaluation.frame_pairs import (
    FrameMasks,
    FramePair,
    SequencePairs,
    fitted,
    listed,
    pair_notes,
)
from moseg.evaluation.frame_pool import Progress, unheard
from moseg.evaluation.frame_rules import frame_rule
from moseg.evaluation.results import Report, mean_figures
from moseg.evaluation.sequence_lists import find_sequences

INSIDES = ("GroundTruth", "test/mask", "mask")
KINDS = (".png", ".bmp")

_RULES = {
    "objects": "the union of all objects of a sequence (numbered sub-folders of the truth, where "
    "it has some) against the union of all predicted ones",
    "foreground": "truth: grey and colour values above 127, so that a smoothed edge counts from "
    "half on, and every id above 0 of a palette image; prediction: every value above 0",
    "matching": "by name; where names of predictions and truth differ and both have as many "
    "frames, in their order",
    "missing": "a frame without a prediction counts as an empty mask",
}


def evaluate_segtrackv2(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """Score binary masks against SegTrack v2.

    Args:
        pred: `<pred>/<sequence>/*.png`, or the output folder of `moseg run`.
        gt: the root of the data set (`GroundTruth/<sequence>/[<object>/]*`, PNG or BMP), its
            `GroundTruth`, or the root of MTNet's copy (`test/mask/<sequence>`).
        sequences: which ones to score; None: those of `segtrackv2`, or all of the truth where
            it lacks some of these.
        workers: processes; None: one for each core. See `frame_pool.score_frames`.
        progress: is told after each frame.

    All frames count. The truth counts from half its range on (above 127): annotations are 0 and
    255, but some have smoothed edges, which would make objects of a few pixels much larger if
    every grey counted.

    Raises:
        InputError: a folder, sequence or mask is missing, empty, unreadable or of another size,
            neither names nor numbers of frames agree, or a truth has no foreground at all; the
            message names it.
    """
    rule = frame_rule("all-frames")
    found = find_sequences(pred, mask_folders.truth_root(gt, INSIDES), sequences, "segtrackv2")
    found.require_predictions()
    matched = [_match(*folders) for folders in found.folders]
    scores = score_binary([match.pairs for match in matched], read_pair, rule, workers, progress)
    ordered = [match.pairs.name for match in matched if match.in_order]
    told = f"names of predictions and truth differ, matched in order: {listed(ordered)}"
    return Report(
        protocol="segtrackv2",
        title="SegTrack v2",
        pred=pred,
        truth=gt,
        rules={"frames": rule.sentence} | _RULES | {"sequences": found.sentence},
        measures=J_AND_F,
        figures=mean_figures([score.figures for score in scores]),
        sequences=scores,
        notes=(*([told] if ordered else []), *pair_notes(match.pairs for match in matched)),
        read=read_pair,
        ranking=BY_J,
    )


def read_pair(pair: FramePair) -> FrameMasks:
    """Foreground of both as 1. See `frame_pairs.Reader`.

    Raises:
        InputError: a file cannot be read, or sizes differ.
    """
    pred = None if pair.pred is None else mask_images.read_foreground(pair.pred)
    return fitted(pred, _union(pair.truth), pair)


@dataclass(frozen=True)
class _Matched:
    pairs: SequencePairs
    in_order: bool


def _match(name: str, pred_folder: Path, truth_folder: Path) -> _Matched:
    truth, pred = _true_files(truth_folder), mask_folders.mask_files(pred_folder)
    in_order = not (pred.keys() <= truth.keys() or truth.keys() <= pred.keys())
    if in_order:
        if len(pred) != len(truth):
            raise InputError(
                f"{pred_folder}: {len(pred)} masks with other names than the {len(truth)} frames "
                f"of the truth (found {next(iter(pred))}, truth has {next(iter(truth))}); name "
                "them like the frames of the truth, or give one for each"
            )
        pred = dict(zip(truth, pred.values(), strict=True))
    _check_foreground(truth_folder, truth)
    pairs = tuple(FramePair(stem, files, pred.get(stem)) for stem, files in truth.items())
    surplus = tuple(stem for stem in pred if stem not in truth)
    return _Matched(SequencePairs(name, pred_folder, pairs, surplus), in_order)


def _true_files(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Stem of each frame, as the first object has it -> the files of all objects."""
    parts = sorted(
        (path for path in mask_folders.entries(folder) if path.is_dir() and path.name.isdecimal()),
        key=lambda path: natural_key(path.name),
    )
    objects = [mask_folders.mask_files(part, KINDS) for part in parts or [folder]]
    for part, files in zip(parts, objects, strict=False):
        if len(files) != len(objects[0]):
            raise InputError(
                f"{part}: holds {len(files)} masks but {parts[0].name} beside it "
                f"{len(objects[0])}; each object needs one for each frame"
            )
    stems = list(objects[0])
    if any(files.keys() != objects[0].keys() for files in objects):
        objects = [dict(zip(stems, files.values(), strict=True)) for files in objects]
    return {stem: tuple(files[stem] for files in objects) for stem in stems}


def _union(files: Sequence[Path]) -> NDArray[np.bool_]:
    union = mask_images.read_half_covered(files[0])
    for file in files[1:]:
        mask = mask_images.read_half_covered(file)
        if mask.shape != union.shape:
            raise InputError(
                f"{file}: has another size than {files[0]}; get the truth of this sequence again"
            )
        union = union | mask
    return union


def _check_foreground(folder: Path, truth: Mapping[str, tuple[Path, ...]]) -> None:
    """Refuse ids stored as grey values, which all lie below 128: the first frame tells mostly."""
    if not any(_union(files).any() for files in truth.values()):
        raise InputError(
            f"{folder}: no frame of the truth has foreground (grey values above 127); "
            "write it as 0 and 255, or ids as palette images"
        )
