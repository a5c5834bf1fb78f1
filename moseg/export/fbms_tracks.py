"""Dense masks as point tracks, for the tool that scores tracks on FBMS-59.

That tool reads a text file: the number of frames that count, the number of tracks, and for each
track a line `label length` and `length` lines `x y frame`. Frames count from 0. A mask becomes
one track of one point for each pixel, on the frames that have a truth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import ConfigError, InputError
from moseg.core.files import published
from moseg.evaluation.fbms_truth import INSIDES, SequenceTruth, find_truth
from moseg.evaluation.frame_numbers import by_number, match_known, match_unknown
from moseg.evaluation.frame_pairs import listed
from moseg.evaluation.mask_folders import truth_root
from moseg.evaluation.mask_images import read_size
from moseg.export.clips import Labels, MaskClip
from moseg.export.heads import Size
from moseg.export.places import make_folder
from moseg.export.reshape import Reshape, nearest_pixels
from moseg.export.written import Written

COUNTS = (10, 50, 200)
"""Numbers of frames that the tool knows, beside that of the whole sequence."""


@dataclass(frozen=True)
class AnnotatedMask:
    """The mask of a frame that has a truth.

    Attributes:
        place: of the frame in the sequence, from 0.
        frame: its name among the masks.
        size: height and width of the truth in pixels.
    """

    place: int
    frame: str
    size: Size


def write_fbms_tracks(
    clips: Sequence[MaskClip], truth: Path, out: Path, shape: Reshape, frames: int | None = None
) -> Written:
    """Write `out/<scene>/Tracks<N>.dat`, N the number of frames that count.

    Labels are 0 for the background, then 1, 2, ... for the objects seen on the annotated frames.
    Masks of another size than the truth are brought to it, as by `moseg eval fbms`.

    Args:
        truth: folder of the sequences of FBMS-59.
        frames: 10, 50 or 200, the first that count; shorter sequences are left out. None: all.

    Raises:
        ConfigError: another number of frames, or ids were to be inverted.
        InputError: the truth of a scene is not there, or of a frame that has no mask.
        OutputError: the place cannot be written.
    """
    shape.refuse_invert("fbms-tracks")
    if frames is not None and frames not in COUNTS:
        raise ConfigError(
            f"--frames {frames}: the tool reads 10, 50 or 200 frames, or all of a sequence; "
            "give one of these or leave it out"
        )
    notes = [
        f"{clip.name}: left out, it has {len(clip.files)} frames, less than {frames}"
        for clip in clips
        if len(clip.files) < (frames or 0)
    ]
    long = [clip for clip in clips if len(clip.files) >= (frames or 0)]
    masks = [_counted_masks(truth, clip, frames or len(clip.files)) for clip in long]
    paths = []
    for clip, annotated in zip(long, masks, strict=True):
        count = frames or len(clip.files)
        path = make_folder(out / clip.name, clip) / f"Tracks{count}.dat"
        _write_tracks(path, count, clip, annotated, shape)
        paths.append(path)
        notes += _resized(clip, annotated)
    return Written(tuple(paths), tuple(notes))


def _counted_masks(truth: Path, clip: MaskClip, count: int) -> list[AnnotatedMask]:
    """The annotated ones of the first `count` frames, at least one.

    Raises:
        InputError: there is none, or as `annotated_masks`.
    """
    inside = [mask for mask in annotated_masks(truth, clip) if mask.place < count]
    if not inside:
        raise InputError(f"{clip.name}: none of its first {count} frames is annotated")
    return inside


def _resized(clip: MaskClip, annotated: Sequence[AnnotatedMask]) -> list[str]:
    other = [mask.size for mask in annotated if mask.size != clip.size]
    if not other:
        return []
    (height, width), (tall, wide) = clip.size, other[0]
    return [
        f"{clip.name}: the masks of {len(other)} of {len(annotated)} annotated frames have "
        f"another size than the truth ({width}x{height}, not {wide}x{tall}) and were brought to it"
    ]


def annotated_masks(truth: Path, clip: MaskClip) -> list[AnnotatedMask]:
    """The masks of the frames that have a truth, in order.

    Truth and masks are matched by the numbers in their names, as `moseg eval fbms` does.

    Args:
        truth: the root of FBMS-59, or any folder of sequence folders.

    Raises:
        InputError: there is no truth of this scene, it cannot be read, the numbers do not fit,
            or some frames of the sequence have no mask.
    """
    annotated = find_truth(truth_root(truth, INSIDES), clip.name)
    folder = next(iter(clip.files.values())).parent
    masks = by_number(clip.files)
    _check_complete(clip, masks, annotated)
    if annotated.numbers:
        matched, _ = match_known(folder, masks, annotated.frames, annotated.numbers)
    else:
        matched = match_unknown(folder, masks, annotated.frames)
    bare = [str(number) for number in annotated.frames if number not in matched]
    if bare:
        raise InputError(f"{folder}: no mask of the annotated frames {listed(bare)}; write them")
    places = {path: place for place, path in enumerate(clip.files.values())}
    return [
        AnnotatedMask(places[path], path.stem, read_size(annotated.frames[number][0]))
        for number, path in matched.items()
    ]


def _check_complete(clip: MaskClip, masks: Collection[int], truth: SequenceTruth) -> None:
    """Frames are counted, so none may be left out.

    Raises:
        InputError: some are.
    """
    whole = len(truth.numbers) or max(masks) - min(masks) + 1
    if len(masks) != whole:
        raise InputError(
            f"{clip.name}: {len(masks)} masks, but the sequence has {whole} frames; tracks count "
            "frames from the first, so write masks of all"
        )


def _write_tracks(
    path: Path, count: int, clip: MaskClip, annotated: Sequence[AnnotatedMask], shape: Reshape
) -> None:
    clusters = _clusters(clip, annotated, shape)
    pixels = sum(height * width for height, width in (mask.size for mask in annotated))
    with published(path) as partial, partial.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"{count}\n{pixels}\n")
        for place, labels in _labels(clip, annotated, shape):
            _write_points(file, clusters[labels], place)


def _clusters(
    clip: MaskClip, annotated: Sequence[AnnotatedMask], shape: Reshape
) -> NDArray[np.uint8]:
    """uint8 [256]: label of each object id, 0, 1, 2, ... without gaps over these frames."""
    seen = np.zeros(256, np.bool_)
    for _, labels in _labels(clip, annotated, shape):
        seen[labels] = True
    seen[0] = True
    return (np.cumsum(seen) - 1).astype(np.uint8)


def _labels(
    clip: MaskClip, annotated: Sequence[AnnotatedMask], shape: Reshape
) -> Iterator[tuple[int, Labels]]:
    """Place, and object ids uint8 [H, W] at the size of the truth, of each of these frames."""
    for mask in annotated:
        yield mask.place, nearest_pixels(shape.labels(clip.labels(mask.frame)), mask.size)


def _write_points(file: TextIO, labels: Labels, place: int) -> None:
    """A track for each pixel of the frame at `place`."""
    heads = [f"{label} 1\n" for label in range(256)]
    columns = [f"{x}" for x in range(labels.shape[1])]
    for y, row in enumerate(labels.tolist()):
        tail = f" {y} {place}\n"
        points = [heads[label] + x for label, x in zip(row, columns, strict=True)]
        file.write(tail.join(points) + tail)
