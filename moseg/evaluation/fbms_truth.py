"""The truth of FBMS-59 on disk: which frames of a sequence are annotated, and in what files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from moseg.core.errors import InputError
from moseg.core.scene import image_files
from moseg.evaluation import mask_folders
from moseg.evaluation.fbms_definition import (
    GREY_SUFFIX,
    AnnotatedFrame,
    Definition,
    find_definition,
    read_definition,
)
from moseg.evaluation.frame_numbers import by_number, frame_number

INSIDES = ("TestSet/Data", "Testset", "TestSet", "Data", "test/mask", "mask")
"""Where a root keeps its sequence folders."""
KINDS = (".png", ".ppm", GREY_SUFFIX)

_UNKNOWN: tuple[int, ...] = ()


@dataclass(frozen=True)
class SequenceTruth:
    """The annotation of one sequence.

    Attributes:
        name: of the sequence.
        frames: number of each annotated frame, as its image is named, in order -> the file with
            its regions and, where there is one, the file with their confidence.
        numbers: of all frames of the sequence, in order; empty where they are not known.
        colours: of the regions, as the Def file says; None where there is none.
    """

    name: str
    frames: dict[int, tuple[Path, ...]]
    numbers: tuple[int, ...]
    colours: tuple[int, ...] | None


def find_truth(root: Path, name: str) -> SequenceTruth:
    """Look for the annotation of a sequence in `<root>/<name>/GroundTruth` or `<root>/<name>`.

    Raises:
        InputError: there is none, a folder cannot be listed, a name has no frame number or that
            of another, or the Def file is damaged or names a file that is not there.
    """
    folder = root / name / "GroundTruth"
    images: Path | None = root / name
    if folder not in mask_folders.entries(root / name):
        folder = root / name
        images = root.parent / "frame" / name if root.name == "mask" else None
    file = find_definition(folder)
    if file is None:
        colours, beyond = None, _UNKNOWN
        found = by_number(mask_folders.mask_files(folder, KINDS))
        frames = {number: _with_confidence(found[number], found[number]) for number in found}
    else:
        definition = read_definition(file)
        colours, frames = definition.colours, _defined_frames(file, definition)
        beyond = _numbers_by_definition(definition, list(frames))
    frames = dict(sorted(frames.items()))
    numbers = _numbers_of_images(images)
    return SequenceTruth(name, frames, numbers if set(frames) <= set(numbers) else beyond, colours)


def _with_confidence(annotation: Path, file: Path) -> tuple[Path, ...]:
    """The file with the regions, and the confidence that goes with a `.ppm` annotation."""
    confidence = annotation.with_suffix(GREY_SUFFIX)
    if annotation.suffix.lower() == ".ppm" and confidence.is_file():
        return file, confidence
    return (file,)


def _defined_frames(definition_file: Path, definition: Definition) -> dict[int, tuple[Path, ...]]:
    frames: dict[int, tuple[Path, ...]] = {}
    for frame in definition.frames:
        number = _number_of(frame)
        if number in frames:
            raise InputError(
                f"{definition_file}: two annotated frames have the number {number} in the names "
                "of their images; get the file again"
            )
        frames[number] = _with_confidence(frame.annotation, _stored(definition_file, frame))
    return frames


def _number_of(frame: AnnotatedFrame) -> int:
    """As its image is named; the Def file itself counts from 0, whatever the names."""
    number = frame_number(Path(frame.image).stem)
    return frame.number if number is None else number


def _stored(definition_file: Path, frame: AnnotatedFrame) -> Path:
    """The annotation that a Def file names, or the same as PNG."""
    for path in (frame.annotation, frame.annotation.with_suffix(".png")):
        if path.is_file():
            return path
    raise InputError(
        f"{definition_file}: names the annotation {frame.annotation.name}, which is not there; "
        "get the folder again, or move the Def file away to use the annotations that are there"
    )


def _numbers_by_definition(definition: Definition, numbers: list[int]) -> tuple[int, ...]:
    shifts = {
        number - frame.number for number, frame in zip(numbers, definition.frames, strict=True)
    }
    if len(shifts) > 1:
        return _UNKNOWN
    first = shifts.pop()
    return tuple(range(first, first + definition.length))


def _numbers_of_images(folder: Path | None) -> tuple[int, ...]:
    if folder is None or not folder.is_dir():
        return _UNKNOWN
    stems = [path.stem for path in image_files(folder)]
    numbers = {number for stem in stems if (number := frame_number(stem)) is not None}
    return tuple(sorted(numbers)) if len(numbers) == len(set(stems)) else _UNKNOWN
