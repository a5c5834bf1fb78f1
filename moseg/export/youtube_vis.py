"""YouTube-VIS: one entry an object, with a code or null for each frame of its video."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from moseg.core.cache import write_atomically
from moseg.core.errors import InputError
from moseg.evaluation.frame_pairs import listed
from moseg.export.clips import MaskClip
from moseg.export.instances import INFO, MOVING, Category, Scores, file_names, name_notes, objects
from moseg.export.places import refuse_source
from moseg.export.reshape import Reshape
from moseg.export.rle import Box, bounding_box, encode
from moseg.export.written import Written

ANNOTATIONS = "instances.json"
RESULTS = "results.json"
_UNKNOWN_SCORE = 1.0


@dataclass(frozen=True)
class Video:
    """A video of the data set. Its frames are those that `file_names` lists, in that order.

    Attributes:
        id: number of the video in the data set.
        file_names: `SCENE/FILE`, one a frame.
        size: height and width in pixels.
    """

    id: int
    file_names: tuple[str, ...]
    size: tuple[int, int]

    @property
    def scene(self) -> str:
        """The name of its folder."""
        return PurePosixPath(self.file_names[0]).parent.name

    @property
    def frames(self) -> list[str]:
        """Names of the frames: file names without folder and suffix."""
        return [PurePosixPath(name).stem for name in self.file_names]


@dataclass
class _Track:
    """One object; the lists have an entry for each frame, None where it is not seen."""

    segmentations: list[dict[str, Any] | None]
    areas: list[int | None] = field(init=False)
    bboxes: list[Box | None] = field(init=False)

    def __post_init__(self) -> None:
        self.areas = [None] * len(self.segmentations)
        self.bboxes = [None] * len(self.segmentations)


def write_youtube_vis(
    clips: Sequence[MaskClip],
    out: Path,
    shape: Reshape,
    category: Category = MOVING,
    scores: Scores | None = None,
    videos: Sequence[Video] | None = None,
) -> Written:
    """Write `out/instances.json` (annotations) and `out/results.json` (what the server reads).

    Args:
        category: of every object; the server has categories of its own.
        scores: of objects; 1.0 where they say nothing.
        videos: of the data set (`read_videos`), whose numbers and frames are used; those that
            `clips` lacks are left out. None: numbers from 1, every frame.

    Raises:
        ConfigError: `shape` is to be inverted; ids have no opposite.
        InputError: a mask cannot be read, images are known and others than the masks are of, or
            `videos` lacks a scene, names frames without a mask or is of another size.
        OutputError: the place cannot be written.
    """
    shape.refuse_invert("youtube-vis")
    for clip in clips:
        refuse_source(out, clip)
    entries: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    guessed = 0
    pairs = _own_videos(clips) if videos is None else _matching(clips, videos)
    for video, clip in pairs:
        height, width = video.size
        size = {"width": width, "height": height, "length": len(video.file_names)}
        entries.append({"id": video.id, "file_names": list(video.file_names)} | size)
        known = (scores or {}).get(clip.name, {})
        for number, track in _tracks(clip, video.frames, shape).items():
            object_of = {"video_id": video.id, "category_id": category.id}
            annotations.append(
                {"id": len(annotations) + 1, "iscrowd": 0, "track_id": number}
                | object_of
                | size
                | vars(track)
            )
            guessed += number not in known
            score = known.get(number, _UNKNOWN_SCORE)
            results.append(object_of | {"score": score, "segmentations": track.segmentations})
    content = {
        "info": INFO,
        "categories": [category.to_json()],
        "videos": entries,
        "annotations": annotations,
    }
    write_atomically(out / ANNOTATIONS, json.dumps(content) + "\n")
    write_atomically(out / RESULTS, json.dumps(results) + "\n")
    notes = [*_gaps(clips, videos), *_unscored(annotations, guessed)]
    return Written((out / ANNOTATIONS, out / RESULTS), tuple(notes))


def read_videos(path: Path) -> list[Video]:
    """The `videos` of an annotation file of the data set.

    Raises:
        InputError: the file cannot be read as one.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        videos = [
            Video(
                int(entry["id"]),
                tuple(str(name) for name in entry["file_names"]),
                (int(entry["height"]), int(entry["width"])),
            )
            for entry in content["videos"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: cannot be read as annotations of YouTube-VIS; give the JSON file whose "
            "'videos' have 'id', 'file_names', 'height' and 'width'"
        ) from error
    if not videos or not all(video.file_names for video in videos):
        raise InputError(f"{path}: has no videos, or one without file_names; give another file")
    return videos


def _tracks(clip: MaskClip, frames: Sequence[str], shape: Reshape) -> Mapping[int, _Track]:
    """Object id -> track, in rising order."""
    tracks: dict[int, _Track] = {}
    for i, frame in enumerate(frames):
        for number, mask in objects(shape.labels(clip.labels(frame))):
            track = tracks.setdefault(number, _Track([None] * len(frames)))
            track.segmentations[i] = encode(mask)
            track.areas[i] = int(np.count_nonzero(mask))
            track.bboxes[i] = bounding_box(mask)
    return dict(sorted(tracks.items()))


def _own_videos(clips: Sequence[MaskClip]) -> list[tuple[Video, MaskClip]]:
    return [(Video(i, tuple(file_names(clip)), clip.size), clip) for i, clip in enumerate(clips, 1)]


def _matching(clips: Sequence[MaskClip], videos: Sequence[Video]) -> list[tuple[Video, MaskClip]]:
    """Each scene with its video in the data set.

    Raises:
        InputError: there is none, it names frames that have no mask, or has another size.
    """
    by_scene = {video.scene: video for video in videos}
    unknown = [clip.name for clip in clips if clip.name not in by_scene]
    if unknown:
        raise InputError(
            f"the data set has no video {listed(unknown)}; choose its own with --scenes, "
            "or give another --videos"
        )
    for clip in clips:
        _check(clip, by_scene[clip.name])
    return [(by_scene[clip.name], clip) for clip in clips]


def _check(clip: MaskClip, video: Video) -> None:
    bare = [frame for frame in video.frames if frame not in clip.files]
    if bare:
        raise InputError(
            f"{clip.name}: no mask for the frames {listed(bare)} that the data set lists; "
            "run moseg on all its frames"
        )
    if clip.size != video.size:
        (height, width), (tall, wide) = clip.size, video.size
        raise InputError(
            f"{clip.name}: the masks are {width}x{height} but the video is {wide}x{tall} in the "
            "data set; run moseg on the data set's own frames"
        )


def _gaps(clips: Sequence[MaskClip], videos: Sequence[Video] | None) -> list[str]:
    if videos is None:
        return name_notes(clips)
    missing = len(videos) - len(clips)
    if not missing:
        return []
    return [f"there are no masks for {missing} of the {len(videos)} videos of the data set"]


def _unscored(annotations: Sequence[object], guessed: int) -> list[str]:
    if not guessed:
        return []
    return [
        f"run.json tells no score of {guessed} of {len(annotations)} objects, and theirs is "
        f"{_UNKNOWN_SCORE}"
    ]
