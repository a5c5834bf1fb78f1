"""Dense masks as point tracks, for the tool that scores tracks on FBMS-59.

That tool reads a text file: the number of frames that count, the number of tracks, and for each
track a line `label length` and `length` lines `x y frame`. Frames count from 0. A mask becomes
one track of one point for each pixel, on the frames that have a truth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from moseg.export.clips import MaskClip
from moseg.export.places import make_folder
from moseg.export.reshape import Reshape
from moseg.export.written import Written

COUNTS = (10, 50, 200)
"""Numbers of frames that the tool knows, beside that of the whole sequence."""


def write_fbms_tracks(
    clips: Sequence[MaskClip], truth: Path, out: Path, shape: Reshape, frames: int | None = None
) -> Written:
    """Write `out/<scene>/Tracks<N>.dat`, N the number of frames that count.

    Labels are 0 for the background, then 1, 2, ... for the objects seen on the annotated frames.

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
    paths, notes = [], []
    for clip in clips:
        total = len(clip.files)
        if frames is not None and total < frames:
            notes.append(f"{clip.name}: left out, it has {total} frames, less than {frames}")
            continue
        count = frames or total
        annotated = annotated_frames(truth, clip)
        inside = {position: frame for position, frame in annotated.items() if position < count}
        if not inside:
            raise InputError(f"{clip.name}: none of its first {count} frames is annotated")
        path = make_folder(out / clip.name, clip) / f"Tracks{count}.dat"
        _write_tracks(path, count, clip, inside, shape)
        paths.append(path)
    return Written(tuple(paths), tuple(notes))


def annotated_frames(truth: Path, clip: MaskClip) -> dict[int, str]:
    """Place in the sequence, from 0, -> frame name of each frame that has a truth, in order.

    Truth and masks are matched by the numbers in their names, as `moseg eval fbms` does.

    Args:
        truth: the root of FBMS-59, or any folder of sequence folders.

    Raises:
        InputError: there is no truth of this scene, the numbers do not fit, or some frames of the
            sequence have no mask.
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
    frames = {path: (place, frame) for place, (frame, path) in enumerate(clip.files.items())}
    return dict(frames[path] for path in matched.values())


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
    path: Path, count: int, clip: MaskClip, annotated: Mapping[int, str], shape: Reshape
) -> None:
    clusters = _clusters(clip, annotated.values(), shape)
    height, width = clip.size
    with published(path) as partial, partial.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"{count}\n{len(annotated) * height * width}\n")
        for place, frame in annotated.items():
            _write_points(file, clusters[shape.labels(clip.labels(frame))], place)


def _clusters(clip: MaskClip, frames: Iterable[str], shape: Reshape) -> NDArray[np.uint8]:
    """uint8 [256]: label of each object id, 0, 1, 2, ... without gaps over these frames."""
    seen = np.zeros(256, np.int64)
    for frame in frames:
        seen += np.bincount(shape.labels(clip.labels(frame)).ravel(), minlength=256)
    seen[0] = 1
    return (np.cumsum(seen > 0) - 1).astype(np.uint8)


def _write_points(file: TextIO, labels: NDArray[np.uint8], place: int) -> None:
    """A track for each pixel of the frame at `place`."""
    heads = [f"{label} 1\n" for label in range(256)]
    columns = [f"{x}" for x in range(labels.shape[1])]
    for y, row in enumerate(labels.tolist()):
        tail = f" {y} {place}\n"
        points = [heads[label] + x for label, x in zip(row, columns, strict=True)]
        file.write(tail.join(points) + tail)
