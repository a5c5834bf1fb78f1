"""YTVOS18-m: moving objects of 120 sequences of the YouTube-VOS 2018 training split.

No official script exists, so the rules are our own; the list of sequences is public. Compare
figures only with such as were made by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.core.errors import ConfigError, InputError
from moseg.core.naming import natural_key
from moseg.evaluation import mask_folders, mask_images
from moseg.evaluation.binary import BY_J, J_AND_F
from moseg.evaluation.frame_numbers import frame_number, renumbered
from moseg.evaluation.frame_pairs import (
    FrameMasks,
    FramePair,
    Labels,
    SequencePairs,
    fitted,
    listed,
    pair_annotated,
    pair_notes,
)
from moseg.evaluation.frame_pool import Progress, score_frames, unheard
from moseg.evaluation.objects import FrameTable, MatchedReader, ObjectTables, score_sequence
from moseg.evaluation.results import Report, mean_figures
from moseg.evaluation.sequence_lists import find_sequences

_INSIDES = ("train/Annotations", "Annotations")


def evaluate_ytvos18_moving(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    objects: int = 3,
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """Score object ids against YouTube-VOS annotations, which only every fifth frame has.

    Args:
        pred: `<pred>/<sequence>/<frame>.png`, pixel values are object ids from 1, for all frames
            or for those with a truth; or the output folder of `moseg run`.
        gt: `<gt>/<sequence>/<frame>.png`, or a root with `train/Annotations` or `Annotations`.
        sequences: which ones to score; None: those of `ytvos18-m`, or all of the truth where it
            lacks some of these.
        objects: how many objects of a sequence count, those with the lowest ids.
        workers: processes; None: one for each core. See `frame_pool.score_frames`.
        progress: is told after each frame.

    Which id an object has does not matter, if it keeps it for the whole sequence. Files are
    matched by frame stem; an annotated frame without a prediction counts as empty and is told in
    the notes, unless names say that all are numbered otherwise. In a frame where an object is
    neither annotated nor predicted, J and F are 1.

    Raises:
        InputError: a folder, sequence or mask is missing, empty, unreadable, of another size
            than the truth, or holds colours or the id 255; predictions are numbered otherwise
            than the truth; a sequence of the truth has no objects. The message names it.
        ConfigError: `objects` is below 1.
    """
    if objects < 1:
        raise ConfigError(f"objects: {objects} are too few; score at least 1 of each sequence")
    found = find_sequences(pred, mask_folders.truth_root(gt, _INSIDES), sequences, "ytvos18-m")
    found.require_predictions()
    parts = [_pairs(*folders) for folders in found.folders]
    tables = score_frames(ObjectTables(read_pair), parts, workers, progress)
    scores = tuple(
        score_sequence(part, some, _first_objects(part, some, objects), by="J")
        for part, some in tables
    )
    return Report(
        protocol="ytvos18-m",
        title="YTVOS18-m (rules of moseg: no official script exists)",
        pred=pred,
        truth=gt,
        rules={
            "frames": "annotated frames only, all of them",
            "objects": f"at most {objects} a sequence, those with the lowest ids of all its frames",
            "void": "none",
            "proposals": "any number",
            "matching": "one assignment a sequence, best in mean J over annotated frames; an "
            "object without a proposal is scored against empty masks, proposals left over cost "
            "nothing",
            "absent": "an object neither annotated nor predicted in a frame has J = F = 1 there",
            "mean": "over the objects of a sequence, then over sequences",
            "missing": "an annotated frame without a prediction counts as empty; but masks are "
            "refused that start after the first annotated frame and go on beyond the last, or "
            "the other way round, that start at 0 where the annotation starts at 1, or are as "
            "many as the annotated frames under other names",
            "sequences": found.sentence,
        },
        measures=J_AND_F,
        figures=mean_figures([score.figures for score in scores]),
        sequences=scores,
        notes=pair_notes(parts),
        read=MatchedReader.of(read_pair, scores),
        ranking=BY_J,
    )


def read_pair(pair: FramePair) -> FrameMasks:
    """Object ids of both. See `frame_pairs.Reader`.

    Raises:
        InputError: a file cannot be read or holds no object ids, or the sizes differ.
    """
    truth = _read_ids(pair.truth[0])
    return fitted(None if pair.pred is None else _read_ids(pair.pred), truth, pair)


def _read_ids(path: Path) -> Labels:
    labels = mask_images.read_labels(path)
    if labels.max(initial=0) == 255:
        raise InputError(
            f"{path}: holds the id 255, which is no object of YouTube-VOS; "
            "number the objects of each sequence from 1"
        )
    return labels


def _first_objects(part: SequencePairs, tables: Sequence[FrameTable], most: int) -> list[int]:
    there = sorted({label for table in tables for label in table.objects if label})
    if not there:
        raise InputError(
            f"{part.pairs[0].truth[0].parent}: no frame of the truth has an object; "
            "leave this sequence out"
        )
    return there[:most]


def _pairs(name: str, pred_folder: Path, truth_folder: Path) -> SequencePairs:
    truth, pred = mask_folders.mask_files(truth_folder), mask_folders.mask_files(pred_folder)
    pairs = pair_annotated(name, pred_folder, pred, truth)
    if renumbered(pred, truth) or _shifted(list(pred), list(truth)):
        raise InputError(
            f"{pred_folder}: the masks are numbered otherwise than the annotated frames: they are "
            f"{listed(list(pred), 3)}, and {listed(list(truth), 3)} are annotated; name the masks "
            "like the frames of the video, or give those of the annotated frames alone"
        )
    return pairs


def _shifted(pred: Sequence[str], truth: Sequence[str]) -> bool:
    """Whether names in order reach beyond those of the truth at one end and lack at the other.

    So they seem to do where they start at 0 and the truth at 1, whatever is at the end. An
    annotated frame that lacks between predicted ones is a gap, and predictions of all frames
    may go on after the last annotated one.
    """
    if frame_number(pred[0]) == 0 and frame_number(truth[0]) == 1:
        return True
    pred_first, pred_last = natural_key(pred[0]), natural_key(pred[-1])
    first, last = natural_key(truth[0]), natural_key(truth[-1])
    return (pred_first > first and pred_last > last) or (pred_first < first and pred_last < last)
