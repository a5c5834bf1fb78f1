"""The frame of the video behind a frame of the truth, for pictures; scores never need it."""

from __future__ import annotations

from pathlib import Path

from moseg.core.errors import InputError
from moseg.core.naming import is_hidden, is_image_name, natural_key
from moseg.evaluation.frame_numbers import frame_number
from moseg.evaluation.results import SequenceScore

_INSIDES = ("JPEGImages/480p", "480p", "JPEGImages", "")
_IMAGE_FOLDERS = {
    "Annotations": "JPEGImages",
    "Annotations_unsupervised": "JPEGImages",
    "GroundTruth": "JPEGImages",
    "mask": "frame",
}
"""Folder of the truth in a data set -> that of the images."""


def check_images(images: Path | None) -> None:
    """Check a folder that a person gave.

    Raises:
        InputError: it is not there.
    """
    if images is not None and not images.is_dir():
        raise InputError(f"{images}: no such folder for the images; check the path of --images")


def video_frames(score: SequenceScore, images: Path | None) -> dict[str, Path]:
    """Name of a scored frame -> the image of the video, as far as there is one.

    Args:
        score: the sequence.
        images: folder of sequence folders, or a root like that of DAVIS, with
            `JPEGImages/480p/<sequence>/<frame>.jpg`; None: looked for beside the truth.

    Images are found by the stem of the truth's file; else by frame number; else by order,
    where there are as many images as scored frames.
    """
    files = next(filter(None, map(_images, _places(score, images))), [])
    stems = {path.stem: path for path in files}
    names = [pair.name for pair in score.pairs]
    if any(name in stems for name in names):
        return {name: stems[name] for name in names if name in stems}
    numbers = {number: path for path in files if (number := frame_number(path.stem)) is not None}
    found = {name: numbers[number] for name in names if (number := frame_number(name)) in numbers}
    if found and len(numbers) == len(files):
        return found
    return dict(zip(names, files, strict=True)) if len(names) == len(files) else {}


def _places(score: SequenceScore, images: Path | None) -> list[Path]:
    """Folders in which the frames may lie, the likeliest first."""
    if images is not None:
        return [images / inside / score.name for inside in _INSIDES]
    if not score.pairs:
        return []
    folder = score.pairs[0].truth[0].parent
    places = [place for place, part in enumerate(folder.parts) if part in _IMAGE_FOLDERS]
    return [found for place in places for found in _beside(folder, place, score.name)]


def _beside(folder: Path, place: int, name: str) -> list[Path]:
    """`Annotations/480p/dog` -> `JPEGImages/480p/dog`; `cars1/GroundTruth` -> `cars1`.

    What lies below the folder of the sequence, such as one folder an object, is left out.
    """
    before, after = folder.parts[:place], folder.parts[place + 1 :]
    if name in after:
        images = _IMAGE_FOLDERS[folder.parts[place]]
        return [Path(*before, images, *after[: after.index(name) + 1])]
    return [Path(*before)] if before and before[-1] == name else []


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if is_image_name(path) and not is_hidden(path)]
    return sorted(files, key=lambda path: natural_key(path.name))
