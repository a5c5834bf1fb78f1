"""HOI4D as its authors publish it, copied into the layout that training reads.

Each video becomes a scene with a number:

    HOI4D_release/<path>/align_rgb/image.mp4       ->  OUT/images/<number>/<source index>.png
    HOI4D_annotations/<path>/2Dseg/shift_mask/*    ->  OUT/dynamic_masks/<number>/<its own name>

`OUT/scenes.json` says which number is which video, so that numbers stay when videos are added,
and how many frames were passed over.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from moseg.core.errors import InputError, OutputError, writing_to
from moseg.core.files import published
from moseg.core.naming import is_hidden
from moseg.core.scene import image_files
from moseg.core.video import read_video, scan_video
from moseg.motion.datasets.preparing import Job, whole_folder, write_png

RELEASE, ANNOTATIONS = "HOI4D_release", "HOI4D_annotations"
RECORD = "scenes.json"
EVERY = 4
"""Every so many frames one is taken."""


@dataclass(frozen=True)
class Numbers:
    """Which scene is which video.

    Attributes:
        every: of so many frames and masks one is taken.
        videos: scene number -> video, relative to `HOI4D_release`.
    """

    every: int
    videos: Mapping[str, str]

    def save(self, out: Path) -> None:
        """Write them down; to be called before scenes are made.

        Raises:
            OutputError: the place cannot be written.
        """
        with writing_to(out):
            out.mkdir(parents=True, exist_ok=True)
        stored = {"every": self.every, "videos": dict(self.videos)}
        with published(out / RECORD) as target:
            target.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def number_videos(source: Path, out: Path, every: int = EVERY) -> Numbers:
    """Number the videos in their order; numbers given before stay.

    Args:
        source: folder with `HOI4D_release` and `HOI4D_annotations`.
        out: where scenes are made.

    Raises:
        InputError: no such folder, or no videos in it.
        OutputError: `out` holds scenes whose videos are not known, or made with another `every`.
    """
    release = source / RELEASE
    found = sorted(path.relative_to(release) for path in release.rglob("*.mp4"))
    videos = [path.as_posix() for path in found if not is_hidden(path)]
    if not videos:
        raise InputError(f"{release} is missing or holds no .mp4; give the folder it lies in")
    known = _read_record(out)
    if known is None:
        return Numbers(every, {f"{i:05d}": video for i, video in enumerate(videos)})
    if known.every != every:
        raise OutputError(
            f"{out} holds one of every {known.every} frames, now it is one of {every}; "
            "choose another folder"
        )
    new = sorted(set(videos) - set(known.videos.values()))
    first = len(known.videos)
    return Numbers(every, {**known.videos, **{f"{first + i:05d}": v for i, v in enumerate(new)}})


def jobs(source: Path, out: Path, numbers: Numbers) -> list[Job]:
    """Return what is yet to be done: the scenes that are not whole."""
    return [
        Job(
            scene=number,
            plan=f"frames and masks of {RELEASE}/{video}",
            work=partial(_make_scene, source, video, out, number, numbers.every),
        )
        for number, video in numbers.videos.items()
        if not all((out / kind / number).is_dir() for kind in ("images", "dynamic_masks"))
    ]


def _read_record(out: Path) -> Numbers | None:
    """Return the numbers given before; None where none were."""
    path = out / RECORD
    if not path.is_file():
        if (out / "images").is_dir() and any((out / "images").iterdir()):
            raise OutputError(
                f"{out / 'images'} holds scenes, and no {path.name} says of which videos; "
                "choose another folder"
            )
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        videos = {str(number): str(video) for number, video in stored["videos"].items()}
        known = Numbers(int(stored["every"]), videos)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{path} is damaged; choose another folder") from error
    if list(videos) != [f"{i:05d}" for i in range(len(videos))]:
        raise OutputError(f"{path} does not number its scenes; choose another folder")
    return known


def _make_scene(source: Path, video: str, out: Path, number: str, every: int) -> str:
    """Copy the frames and masks of one video; each folder appears whole or not at all."""
    stored = source / RELEASE / video
    masks = _masks_of(source / ANNOTATIONS / Path(video).parent.parent / "2Dseg" / "shift_mask")
    scan = scan_video(stored)
    indices = range(0, len(scan.times), every)
    chosen = masks[::every]
    if len(chosen) != len(indices):
        raise InputError(
            f"{stored} has {len(scan.times)} frames, but {len(masks)} masks in "
            f"{masks[0].parent}; get both again"
        )
    if not (out / "dynamic_masks" / number).is_dir():
        with whole_folder(out / "dynamic_masks" / number) as folder:
            for mask in chosen:
                shutil.copyfile(mask, folder / mask.name)
    if not (out / "images" / number).is_dir():
        with whole_folder(out / "images" / number) as folder:
            for index, frame in zip(indices, read_video(stored, indices), strict=True):
                write_png(folder / f"{index:05d}.png", frame[..., ::-1])
    return "; ".join((f"{len(indices)} frames and masks of {video}", *scan.notes))


def _masks_of(folder: Path) -> list[Path]:
    masks = image_files(folder) if folder.is_dir() else []
    if not masks:
        raise InputError(f"{folder} is missing or holds no masks; get the annotations of it")
    return masks
