"""Folders of masks, one file a frame: where they are, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moseg.core.errors import InputError
from moseg.core.naming import is_hidden, natural_key

PREDICTED_IN = ("masks", "initial_preds")
"""Where the outputs of `moseg run` and of `run_inference.py --sam2` have their masks."""


def truth_root(folder: Path, insides: Sequence[str] = ("Annotations/480p", "480p")) -> Path:
    """The folder of sequence folders in `folder`, which may also be the root of a data set.

    Args:
        folder: as given by a person.
        insides: where a root keeps its sequence folders; the first that is there is taken. By
            default those of DAVIS: `Annotations/480p` of its root, `480p` of `Annotations`.

    Raises:
        InputError: no such folder.
    """
    _check_folder(folder, "ground truth")
    for inside in insides:
        if (folder / inside).is_dir():
            return folder / inside
    return folder


def is_davis17(folder: Path) -> bool:
    """Whether a folder is the root of DAVIS-2017, or lies in it at most two folders deep."""
    place = folder.absolute()
    marks = ("ImageSets/2017", "Annotations_unsupervised")
    return any((root / mark).is_dir() for root in (place, *place.parents[:2]) for mark in marks)


def prediction_root(folder: Path) -> Path:
    """The folder of sequence folders in `folder`, which may also be an output of moseg.

    `moseg run` writes `masks/<sequence>/<frame>.png`, and `run_inference.py --sam2` writes
    `initial_preds/<sequence>/<frame>.png`: where one of these is in `folder` it is used.

    Raises:
        InputError: no such folder.
    """
    _check_folder(folder, "predictions")
    for inside in PREDICTED_IN:
        if (folder / inside).is_dir():
            return folder / inside
    return folder


def sequence_folders(root: Path) -> list[str]:
    """Names of the sequence folders in `root`, in natural order; hidden ones are left out.

    Raises:
        InputError: there are none.
    """
    folders = [path for path in entries(root) if path.is_dir() and not is_hidden(path)]
    names = sorted((path.name for path in folders), key=natural_key)
    if not names:
        raise InputError(
            f"{root}: holds no sequence folders; give the folder whose sub-folders "
            "hold the PNG masks, one sub-folder a sequence"
        )
    return names


def mask_files(folder: Path, suffixes: Sequence[str] = (".png",)) -> dict[str, Path]:
    """Frame stem -> mask file of one sequence, in natural order; hidden files are left out.

    Args:
        folder: of the sequence.
        suffixes: kinds of files in order of preference: the first kind that is there is taken.

    Raises:
        InputError: no such folder, no mask in it, two files of one stem, or masks of another
            kind for frames that the taken kind lacks.
    """
    shown = [path for path in entries(folder) if not is_hidden(path)]
    shown.sort(key=lambda path: natural_key(path.name))
    kinds = [[path for path in shown if path.suffix.lower() == suffix] for suffix in suffixes]
    taken = next((files for files in kinds if files), [])
    if not taken:
        names = " or ".join(suffix.removeprefix(".").upper() for suffix in suffixes)
        raise InputError(f"{folder}: holds no {names} mask; give a folder with one for each frame")
    masks: dict[str, Path] = {}
    for path in taken:
        if masks.setdefault(path.stem, path) is not path:
            raise InputError(
                f"{folder}: holds {masks[path.stem].name} and {path.name}, two masks of one "
                "frame; keep one of them"
            )
    others = [path for files in kinds for path in files if path.stem not in masks]
    if others:
        raise InputError(
            f"{folder}: holds {taken[0].name} and, of other frames, {others[0].name}; "
            "keep masks of one kind"
        )
    return dict(sorted(masks.items(), key=lambda item: natural_key(item[0])))


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, in no order.

    Raises:
        InputError: it cannot be listed.
    """
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be listed ({error.strerror}); check the path and its permissions"
        ) from error


def _check_folder(folder: Path, role: str) -> None:
    if not folder.exists():
        raise InputError(f"{folder}: no such folder for the {role}; check the path")
    if not folder.is_dir():
        raise InputError(f"{folder}: the {role} must be a folder, this is a file")
