"""What all data sets share: scenes on disk, of which samples are drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from moseg.core.errors import ConfigError, InputError
from moseg.core.foreign_files import read_numbers
from moseg.core.foreign_maps import read_depth_image, read_feature_map
from moseg.core.images import list_frames
from moseg.core.point_features import nearest_cells
from moseg.core.track_array import parse_logits
from moseg.motion.datasets import files
from moseg.motion.datasets.labels import label_tracks
from moseg.motion.datasets.sample import Float32, TrackSample
from moseg.motion.sampling import Sample, make_sample
from moseg.motion.track_depth import Lookup, Read, lookup_index, to_unit

COLLIDED = "dinos"
"""A folder that the reference leaves among scenes: it writes the features of all into one."""


@dataclass(frozen=True)
class Reading:
    """What of a scene is read, and how.

    Attributes:
        depth, features: whether samples have them.
        lookup, read: how depth is read; see `moseg.motion.track_depth`.
        limit: tracks of a sample at most; None: as many as the data set draws.
    """

    depth: bool = True
    features: bool = True
    lookup: Lookup = "pixel"
    read: Read = "full"
    limit: int | None = None


class SceneFolders(NamedTuple):
    """Where the files of one scene lie; they are named by the names of the images.

    Attributes:
        images: `<frame>.png` and the like.
        masks: what moves, as images.
        depth: 16-bit `<frame>.png`.
        tracks: `<query>_<target>.npy`.
        features: `<frame>.npy` or `<frame>.h5`.
    """

    images: Path
    masks: Path
    depth: Path
    tracks: Path
    features: Path


class Clip(NamedTuple):
    """The frames of a sample.

    Attributes:
        images: of the scene, by frame name, all of them.
        names: of the frames of the clip.
        at: which of these is the query frame.
    """

    images: Mapping[str, Path]
    names: tuple[str, ...]
    at: int

    @property
    def query(self) -> str:
        """Name of the query frame."""
        return self.names[self.at]


class Dataset(ABC):
    """Scenes on disk in one layout.

    A data set says where files lie, which frames a clip takes, from which frames tracks start,
    and how many tracks a sample has. Nothing is read before the first sample but names.

    Args:
        root: folder of the data set.
        split: one of `splits`; None where it has none.
        reading: what of a scene is read.

    Attributes:
        name: by which people call it.
        splits: its parts, the one for training first.
        counts: numbers of tracks of which one is drawn for each sample; none: all tracks.
        scenes: names, in natural order.

    Raises:
        ConfigError: no such split.
        InputError: the folder cannot be listed or holds no scene.
    """

    name: ClassVar[str]
    splits: ClassVar[tuple[str, ...]] = ()
    counts: ClassVar[tuple[int, ...]] = ()

    def __init__(self, root: Path, split: str | None = None, reading: Reading = Reading()) -> None:
        if split not in (self.splits or (None,)):
            known = " or ".join(self.splits) or "none: leave it out"
            raise ConfigError(f"{self.name}: no split '{split}'; there is {known}")
        self.base = root / split if split else root
        self.reading = reading
        self.scenes = tuple(name for name in files.folder_names(self.home) if self.takes(name))
        if not self.scenes:
            raise InputError(f"{self.home} holds no scenes of {self.name}; check the path")

    def __len__(self) -> int:
        return len(self.scenes)

    @property
    @abstractmethod
    def home(self) -> Path:
        """The folder in which each scene is a folder."""

    @abstractmethod
    def folders(self, scene: str) -> SceneFolders:
        """Where the files of a scene lie."""

    @abstractmethod
    def queries(self, length: int) -> Sequence[int]:
        """From which frames of a clip of `length` frames tracks start."""

    def takes(self, scene: str) -> bool:
        """Whether a folder in `home` is a scene of this set."""
        return scene != COLLIDED

    def clips(self, count: int) -> list[range]:
        """Which frames of `count` a clip may take, one range for each choice."""
        return [range(count)]

    def sample(self, scene: int, rng: np.random.Generator) -> TrackSample:
        """Draw a sample: a clip, a query frame, and tracks of it.

        Args:
            scene: 0..len - 1.
            rng: what everything is drawn from.

        Raises:
            InputError: files are missing, damaged or do not belong together.
            BackendError: a package is missing to read them.
        """
        folders = self.folders(self.scenes[scene])
        clip = self._draw_clip(folders, rng)
        size = files.image_size(clip.images[clip.query])
        tracks = self._draw_tracks(folders, clip, rng)
        seen = make_sample(np.arange(len(tracks)), tracks)
        if not len(seen):
            raise InputError(f"{folders.tracks}: no track of {clip.query} is visible in any frame")
        masks = files.match_masks(folders.masks, tuple(clip.images))
        starts = tracks[seen.rows, clip.at]
        # Of the tracker itself: `seen.visible` has one track in every frame, if need be a hidden.
        visible, _, _ = parse_logits(starts[:, 2], starts[:, 3])
        label, judged = label_tracks(
            starts[:, :2], visible, files.read_mask(masks[clip.query], size)
        )
        return TrackSample(
            xy=seen.xy,
            visible=seen.visible,
            visibility=seen.visibility,
            confidence=seen.confidence,
            depth=self._depth(folders, clip, seen, size) if self.reading.depth else None,
            features=self._features(folders, clip, seen, size) if self.reading.features else None,
            query_frame=clip.at,
            size=size,
            label=label,
            judged=judged,
        )

    def usable_clips(self, folders: SceneFolders) -> list[Clip]:
        """Return each clip with each of its query frames that has tracks.

        Raises:
            InputError: no images, or no query frame has tracks.
        """
        images = {path.stem: path for path in list_frames(folders.images)}
        names = tuple(images)
        chosen = [tuple(names[frame] for frame in clip) for clip in self.clips(len(names))]
        found = [
            Clip(images, clip, at)
            for clip in chosen
            for at in self.queries(len(clip))
            if (folders.tracks / f"{clip[at]}_{clip[at]}.npy").is_file()
        ]
        if not found:
            wanted = ", ".join(clip[at] for clip in chosen[:1] for at in self.queries(len(clip)))
            raise InputError(
                f"{folders.tracks} holds no tracks of a query frame ({wanted or 'none: too short'})"
            )
        return found

    def _draw_clip(self, folders: SceneFolders, rng: np.random.Generator) -> Clip:
        """Draw frames, all choices alike, and then a query frame of these."""
        usable = self.usable_clips(folders)
        choices = list(dict.fromkeys(clip.names for clip in usable))
        names = choices[rng.integers(len(choices))]
        same = [clip for clip in usable if clip.names == names]
        return same[rng.integers(len(same))]

    def _draw_tracks(self, folders: SceneFolders, clip: Clip, rng: np.random.Generator) -> Float32:
        """Return tracks float32 [n, L, 4], drawn of those that start in the query frame."""
        start = folders.tracks / f"{clip.query}_{clip.query}.npy"
        count = len(read_numbers(start, (None, 4)))
        fitting = [number for number in self.counts if number <= count] or [count]
        kept = fitting[rng.integers(len(fitting))]
        rows = rng.permutation(count)[: min(kept, self.reading.limit or kept)]
        return files.read_tracks(folders.tracks, clip.query, clip.names, rows, count)

    def _depth(self, folders: SceneFolders, clip: Clip, seen: Sample, size: files.Size) -> Float32:
        """Return depth float32 [n, L] under the tracks; one image is held at a time."""
        depth = np.empty(seen.visible.shape, np.float32)
        for column, name in enumerate(clip.names):
            stored = read_depth_image(folders.depth / f"{name}.png", size)
            index = lookup_index(seen.xy[:, column], size, self.reading.lookup)
            depth[:, column] = to_unit(stored, self.reading.read).ravel()[index]
        return depth

    def _features(
        self, folders: SceneFolders, clip: Clip, seen: Sample, size: files.Size
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
        """Return features float16 [n, C] where the tracks start."""
        values = read_feature_map(folders.features, clip.query)
        return nearest_cells(values, seen.xy[:, clip.at], *size)


def first_there(*folders: Path) -> Path:
    """Return the first of these that is there; the first of all where none is."""
    return next((folder for folder in folders if folder.is_dir()), folders[0])
