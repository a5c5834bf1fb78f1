"""Predicted masks scene by scene, and the images they lie on: what every form is made from.

Nothing is held but the frame in hand, so memory does not grow with the length of a clip.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError
from moseg.core.frame_index import FrameIndex, index_frames
from moseg.core.frames import RGB, Frames
from moseg.core.images import list_frames
from moseg.core.scene import Problem, Scene, find_scenes
from moseg.evaluation.frame_pairs import listed
from moseg.evaluation.mask_folders import mask_files, prediction_root, sequence_folders
from moseg.evaluation.mask_images import read_labels
from moseg.export.heads import Size, common_size, image_size, mask_size

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class ClipImages:
    """The images of a scene: a folder of them, or a video. Read only when they are asked for."""

    scene: Scene

    @cached_property
    def index(self) -> FrameIndex:
        """Names, times, size; decodes the source once.

        Raises:
            InputError: the source cannot be read.
        """
        return index_frames(self.scene)

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Frame name -> file name with suffix, in order; `00000.png`, ... of a video.

        Raises:
            InputError: the source cannot be read.
        """
        if self.scene.kind == "video":
            return {name: f"{name}.png" for name in self.index.names}
        return {path.stem: path.name for path in list_frames(self.scene.source)}

    @cached_property
    def size(self) -> Size:
        """Height and width of all frames in pixels.

        Raises:
            InputError: the source cannot be read, or its images differ in size.
        """
        if self.scene.kind == "video":
            return self.index.height, self.index.width
        return common_size(list_frames(self.scene.source), image_size)

    def frames(self) -> Iterator[RGB]:
        """The frames in order, RGB uint8 [H, W, 3], decoded one at a time.

        Raises:
            InputError: the source cannot be read.
        """
        return iter(Frames(self.scene, self.index))


@dataclass(frozen=True)
class MaskClip:
    """The predicted masks of one scene.

    Attributes:
        name: of the scene.
        files: frame name -> mask PNG, in natural order.
        size: height and width of all masks in pixels.
        images: what the masks lie on, where it is known.
    """

    name: str
    files: Mapping[str, Path]
    size: Size
    images: ClipImages | None = None

    def labels(self, frame: str) -> Labels:
        """Object ids of one frame, uint8 [H, W].

        Raises:
            InputError: the file cannot be read.
        """
        return read_labels(self.files[frame])

    def all_labels(self) -> Iterator[tuple[str, Labels]]:
        """Name and object ids uint8 [H, W] of each frame, in order, one at a time.

        Raises:
            InputError: as `labels`.
        """
        for frame in self.files:
            yield frame, self.labels(frame)

    def known_images(self) -> ClipImages:
        """The images, of which every frame has a mask, and the other way round.

        Raises:
            InputError: they are not known, or masks and images differ in frames or in size.
        """
        if self.images is None:
            raise InputError(
                f"{self.name}: this form needs the images that the masks are of; say with "
                "--images where they are: a video, an image folder, or a folder of such"
            )
        place = self.images.scene.source
        bare = [name for name in self.images.files if name not in self.files]
        if bare:
            raise InputError(
                f"{self.name}: no mask for the frames {listed(bare)} of {place}; this form "
                "needs all: run moseg on these images"
            )
        lost = [name for name in self.files if name not in self.images.files]
        if lost:
            raise InputError(
                f"{self.name}: {place} has no frames {listed(lost)}, of which there are masks; "
                "give --images what the masks were made from"
            )
        if self.images.size != self.size:
            (height, width), (tall, wide) = self.size, self.images.size
            raise InputError(
                f"{self.name}: the masks are {width}x{height}, the images in {place} "
                f"{wide}x{tall}; give --images what the masks were made from"
            )
        return self.images


def find_clips(pred: Path, images: Path | None, names: Sequence[str] | None) -> list[MaskClip]:
    """The scenes that have masks in `pred`, all of which are looked at.

    Args:
        pred: output of `moseg run`, the `--sam2dir` of `run_inference.py`, or any folder with
            one folder of PNG masks a scene.
        images: the video or image folder of the one scene, or a folder with one of these for
            each scene, named like it. None: what `run.json` in `pred` names, where it is
            still there.
        names: of the scenes to take, in this order; None: all, in natural order.

    Raises:
        InputError: no masks, one that cannot be read, masks of two sizes in a scene, a scene
            that is not there, or `images` lacks one of the scenes.
    """
    root = prediction_root(pred)
    known = sequence_folders(root)
    chosen = known if names is None else list(dict.fromkeys(names))
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise InputError(f"{root}: has no scene {listed(unknown)}; it has {listed(known)}")
    files = {name: mask_files(root / name) for name in chosen}
    sources = _recorded(pred, chosen) if images is None else _given(images, chosen)
    found = {name: ClipImages(scene) for name, scene in sources.items()}
    sizes = {name: common_size(list(files[name].values()), mask_size) for name in chosen}
    return [MaskClip(name, files[name], sizes[name], found.get(name)) for name in chosen]


def _given(images: Path, names: Sequence[str]) -> dict[str, Scene]:
    """Scene name -> source, for all of `names`.

    Raises:
        InputError: not all are there.
    """
    scenes, problems = find_scenes([images])
    if len(scenes) == 1 and scenes[0].source in (images.absolute(), images.resolve()):
        if len(names) > 1:
            raise InputError(
                f"{images} is one scene, but there are masks of {len(names)}: {listed(names)}; "
                "choose one with --scenes, or give a folder with one image folder a scene"
            )
        return {names[0]: scenes[0]}
    found = {scene.name: scene for scene in scenes}
    for name in names:
        if name not in found:
            raise _why_missing(images, name, list(found), problems)
    return {name: found[name] for name in names}


def _why_missing(
    images: Path, name: str, known: Sequence[str], problems: Sequence[Problem]
) -> InputError:
    for problem in problems:
        if problem.name == name or problem.source == images.absolute():
            return InputError(str(problem.error))
    return InputError(
        f"{images}: has no images of the scene {name}; it has {listed(known) or 'none'}: name "
        "each image folder or video like its scene"
    )


def _recorded(pred: Path, names: Sequence[str]) -> dict[str, Scene]:
    """Scene name -> source that the run says it worked on, where it is still there."""
    try:
        run = json.loads((pred / "run.json").read_text(encoding="utf-8"))
        sources = {str(scene["name"]): Path(scene["source"]) for scene in run["scenes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found = {}
    for name in names:
        scenes, _ = find_scenes([sources[name]]) if name in sources else ([], [])
        if len(scenes) == 1 and scenes[0].source == sources[name]:
            found[name] = scenes[0]
    return found
