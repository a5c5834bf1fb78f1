"""Predictions matched to annotated frames by number, where both are named in other ways."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from moseg.core.errors import InputError
from moseg.evaluation.frame_pairs import listed

Frame = TypeVar("Frame", int, str)

_ADVICE = "name the masks like the images of the sequence"


def frame_number(stem: str) -> int | None:
    """The number in a name: the digits after the first `_` that has some, else the first ones.

    So `marple2_010_gt` is 10 and `0042` is 42; None where there are no digits.
    """
    found = re.search(r"_([0-9]+)", stem) or re.search(r"([0-9]+)", stem)
    return int(found[1]) if found else None


def by_number(files: Mapping[str, Path]) -> dict[int, Path]:
    """Frame number -> file, from stem -> file.

    Raises:
        InputError: a name has no number, or two names have the same.
    """
    numbered: dict[int, Path] = {}
    for stem, path in files.items():
        number = frame_number(stem)
        if number is None:
            raise InputError(f"{path}: no frame number in the name; {_ADVICE}")
        if number in numbered:
            raise InputError(
                f"{path} and {numbered[number].name} are both frame {number} by their names "
                f"(the digits after the first `_`, else the first digits); {_ADVICE}"
            )
        numbered[number] = path
    return numbered


def match_known(
    folder: Path, found: Mapping[int, Path], annotated: Collection[int], frames: Sequence[int]
) -> tuple[dict[int, Path], bool]:
    """Predictions of the annotated frames where the numbers of all frames are known.

    Predictions that are not numbered like the frames may be numbered from 0.

    Args:
        folder: of the predictions, for messages.
        found: number -> prediction.
        annotated: numbers of the annotated frames.
        frames: numbers of all frames, in order.

    Returns:
        Annotated frame -> prediction, and whether these were numbered from 0.

    Raises:
        InputError: they are numbered in neither way, are as many as the annotated frames but not
            theirs, or none is of an annotated frame.
    """
    from_zero = not all(frames[0] <= number <= frames[-1] for number in found)
    if from_zero and max(found) >= len(frames):
        raise InputError(
            f"{folder}: the masks are numbered {_range(found)}, but the {len(frames)} frames of "
            f"the sequence {_range(frames)}; {_ADVICE}"
        )
    named = {frames[number]: path for number, path in found.items()} if from_zero else found
    if renumbered(named, annotated):
        raise InputError(
            f"{folder}: holds {len(found)} masks, as many as there are annotated frames, but "
            f"numbered {_range(found)} and not {_some(annotated)}; {_ADVICE}"
        )
    return _of_annotated(folder, named, annotated), from_zero


def match_unknown(
    folder: Path, found: Mapping[int, Path], annotated: Collection[int]
) -> dict[int, Path]:
    """The same where only the annotated frames are known: numbers must agree.

    Raises:
        InputError: predictions seem to be numbered otherwise: one is of a frame 0 while the
            annotation starts at 1, some are of frames outside the annotated ones while some of
            these have none, or they are as many as those but not theirs; or none is of an
            annotated frame.
    """
    first, last = min(annotated), max(annotated)
    outside = any(not first <= number <= last for number in found)
    lacking = any(number not in found for number in annotated)
    if (0 in found and first == 1) or (outside and lacking) or renumbered(found, annotated):
        raise InputError(
            f"{folder}: the masks are numbered {_range(found)}, but the annotated frames are "
            f"{_some(annotated)}; {_ADVICE}, or give those of the annotated frames alone"
        )
    return _of_annotated(folder, found, annotated)


def renumbered(found: Collection[Frame], annotated: Collection[Frame]) -> bool:
    """Whether predictions are as many as the annotated frames but not theirs.

    They seem to be of the annotated frames alone, counted 0, 1, 2 without the frames between;
    who predicts all frames has more.
    """
    return len(found) == len(annotated) and set(found) != set(annotated)


def _of_annotated(
    folder: Path, found: Mapping[int, Path], annotated: Collection[int]
) -> dict[int, Path]:
    matched = {number: found[number] for number in annotated if number in found}
    if not matched:
        raise InputError(
            f"{folder}: no mask of an annotated frame: they are numbered {_range(found)}, and "
            f"frames {_some(annotated)} are annotated; {_ADVICE}"
        )
    return matched


def _range(numbers: Collection[int]) -> str:
    return f"{min(numbers)}..{max(numbers)}"


def _some(numbers: Collection[int]) -> str:
    return listed([str(number) for number in sorted(numbers)], 3)
