"""Which prediction belongs to which frame of the truth, and what a reader makes of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError

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
    """

    name: str
    pred: Path
    pairs: tuple[FramePair, ...]


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


def pair_by_name(
    name: str, pred_folder: Path, pred: Mapping[str, Path], truth: Mapping[str, Path]
) -> SequencePairs:
    """Match predictions to the frames of the truth by file stem, where each frame has a truth.

    A frame without a prediction is paired with None, which counts as an empty mask.

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
    surplus = [stem for stem in pred if stem not in truth]
    missing = [stem for stem in truth if stem not in pred]
    if missing and surplus:
        raise InputError(
            f"{pred_folder}: the frames are numbered otherwise than the truth's, which has "
            f"{listed(missing, 2)} but not {listed(surplus, 2)}; rename the masks like the "
            "frames of the truth, or remove those that it does not have"
        )
    return pairs


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
