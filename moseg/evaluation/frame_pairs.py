"""Which prediction belongs to which frame of the truth, and what a reader makes of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError
from moseg.evaluation import mask_folders

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FramePair:
    """One frame of the truth and its prediction.

    Attributes:
        name: stem of the truth's file.
        truth: the file, or one file for each object where the data set keeps them apart.
        pred: None where nothing was predicted.
    """

    name: str
    truth: tuple[Path, ...]
    pred: Path | None


@dataclass(frozen=True)
class SequencePairs:
    """The frames of a sequence that are scored, in order.

    Attributes:
        name: of the sequence.
        pred: folder of the predictions, for messages; it need not be there.
        pairs: at least one.
        surplus: names of predictions without a truth, where every frame should have one.
    """

    name: str
    pred: Path
    pairs: tuple[FramePair, ...]
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True)
class FrameMasks:
    """One frame as it is scored.

    Attributes:
        truth: uint8 [H, W], 0 background, then object ids; 1 where objects are merged.
        pred: uint8 [H, W], the same for the prediction; of saliency maps the code 0..255.
        void: bool [H, W], pixels that count for nothing; None where the truth has none.
    """

    truth: Labels
    pred: Labels
    void: Mask | None = None


Reader = Callable[[FramePair], FrameMasks]
"""Reads the files of a pair as its protocol wants them; can be pickled."""


def pair_folders(name: str, pred_folder: Path, truth_folder: Path) -> SequencePairs:
    """`pair_by_name` of the PNG masks in two folders; that of the predictions need not be there.

    Raises:
        InputError: as `pair_by_name` and `mask_folders.mask_files`.
    """
    pred = mask_folders.mask_files(pred_folder) if pred_folder.is_dir() else {}
    return pair_by_name(name, pred_folder, pred, mask_folders.mask_files(truth_folder))


def pair_by_name(
    name: str, pred_folder: Path, pred: Mapping[str, Path], truth: Mapping[str, Path]
) -> SequencePairs:
    """Match predictions to the frames of the truth by file stem, where each frame has a truth.

    A frame without a prediction is paired with None, which counts as an empty mask; a prediction
    without a truth is left out, and `pair_notes` tells both.

    Args:
        name: of the sequence.
        pred_folder: for messages.
        pred: stem -> file.
        truth: stem -> file; its order is kept.

    Raises:
        InputError: as `pair_annotated`, or each side has frames that the other lacks: they
            are numbered otherwise.
    """
    pairs = pair_annotated(name, pred_folder, pred, truth)
    refuse_renumbered(pred_folder, list(pred), list(truth), "truth")
    return replace(pairs, surplus=tuple(stem for stem in pred if stem not in truth))


def refuse_renumbered(
    folder: Path, masks: Sequence[str], frames: Sequence[str], whose: str
) -> None:
    """Refuse masks and frames of which each have names that the others lack.

    Args:
        folder: of the masks.
        masks, frames: their names.
        whose: has the frames, for the message.

    Raises:
        InputError: they are numbered otherwise.
    """
    shown, there = set(masks), set(frames)
    lacking = [name for name in frames if name not in shown]
    surplus = [name for name in masks if name not in there]
    if lacking and surplus:
        raise InputError(
            f"{folder}: the masks are numbered otherwise than the frames of the {whose}, which has "
            f"{listed(lacking, 2)} but not {listed(surplus, 2)}; rename the masks like the frames, "
            f"or remove those that the {whose} does not have"
        )


def pair_annotated(
    name: str, pred_folder: Path, pred: Mapping[str, Path], truth: Mapping[str, Path]
) -> SequencePairs:
    """The same where only some frames have a truth: predictions of others are left out.

    Raises:
        InputError: no name agrees.
    """
    if pred and not pred.keys() & truth.keys():
        shown, true = next(iter(pred.values())).name, next(iter(truth.values())).name
        raise InputError(
            f"{pred_folder}: no mask is named like a frame of the truth; "
            f"rename them (found {shown}, truth has {true})"
        )
    pairs = tuple(FramePair(stem, (path,), pred.get(stem)) for stem, path in truth.items())
    return SequencePairs(name, pred_folder, pairs)


def pair_notes(parts: Iterable[SequencePairs]) -> tuple[str, ...]:
    """Sentences on what is missing on either side, for sequences with all their frames."""
    notes = []
    for part in parts:
        missing = [pair.name for pair in part.pairs if pair.pred is None]
        if missing:
            notes.append(
                f"{part.name}: {len(missing)} of {len(part.pairs)} frames have no prediction "
                f"and count as empty masks: {listed(missing)}"
            )
        if part.surplus:
            notes.append(
                f"{part.name}: {len(part.surplus)} predicted frames have no truth and are left "
                f"out: {listed(part.surplus)}; is the truth complete?"
            )
    return tuple(notes)


def fitted(pred: Labels | Mask | None, truth: Labels | Mask, pair: FramePair) -> FrameMasks:
    """Both masks, without void; the prediction is empty where nothing was predicted.

    Raises:
        InputError: the sizes differ.
    """
    if pred is None:
        pred = np.zeros(truth.shape, np.uint8)
    if pred.shape != truth.shape:
        raise InputError(
            f"{pair.pred}: the mask is {_size(pred)} but the truth is {_size(truth)}; "
            "write predictions at the size of the annotation"
        )
    return FrameMasks(truth.view(np.uint8), pred.view(np.uint8))


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first names with commas, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _size(mask: Labels | Mask) -> str:
    return f"{mask.shape[1]}x{mask.shape[0]}"
