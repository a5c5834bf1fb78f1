"""The `masks` stage, built in: labelled tracks to object masks without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.core.arrays import save_array
from moseg.core.census import ObjectCensus
from moseg.core.frame_record import FrameRecord
from moseg.core.labelled_tracks import LabelledTracks
from moseg.core.mapping import map_to_source
from moseg.core.masks import write_mask_png
from moseg.core.parallel import ordered_map
from moseg.core.stage import Backend, Params, Report, Resources, Task
from moseg.core.working_clip import Scale, WorkingClip
from moseg.sam2.light.densify import DenseFrame, DensifySettings, PointLabels, densify
from moseg.sam2.light.objects import ObjectSettings

UInt8 = NDArray[np.uint8]


class LightParams(Params):
    """How labelled tracks become masks."""

    backend: Literal["light"] = Field("light", description="without a network")
    decay: float = Field(0.8, ge=0, lt=1, description="share of a vote that survives a frame")
    appearance_window: int = Field(
        15, ge=1, le=200, description="frames on each side that teach the appearance of a frame"
    )
    appearance_weight: float = Field(
        1.0, ge=0, le=10, description="weight of appearance against motion; 0 leaves it out"
    )
    smallest_area: float = Field(
        0.0005, ge=0, le=1, description="objects smaller than this share of the frame are dropped"
    )
    shortest_life: int = Field(
        5, ge=1, description="objects seen in fewer frames are dropped (less in short videos)"
    )

    def settings(self) -> DensifySettings:
        """Return these as the densifier takes them."""
        objects = ObjectSettings(smallest_area=self.smallest_area, shortest_life=self.shortest_life)
        return DensifySettings(
            decay=self.decay,
            appearance_window=self.appearance_window,
            appearance_weight=self.appearance_weight,
            objects=objects,
        )


class LightMasks(Backend[LightParams]):
    """Splats, carries and sharpens labels, parts objects, and writes one mask a frame.

    The artefact is a folder with one palette PNG for each frame of the source, at the
    source's size.
    """

    stage = "masks"
    name = "light"
    version = 1
    needs = ("frames", "flow", "tracks", "labels")
    resources = Resources(memory_gb=1.0)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        record = FrameRecord.load(task.inputs["frames"])
        census = ObjectCensus(record.target.names)
        scratch = FolderScratch(task.out / ".scratch")
        try:
            with WorkingClip(task.inputs["flow"]) as clip:
                lifted = self._lifted(task, record, clip, scratch)
                self._write(task, record, lifted, census)
        finally:
            scratch.remove()
        notes = ("nothing moves: all masks are empty",) if not census.objects else ()
        return Report(census.summary(), notes)

    def _lifted(
        self, task: Task, record: FrameRecord, clip: WorkingClip, scratch: FolderScratch
    ) -> Iterator[UInt8]:
        """Yield object ids uint8 [H, W] at the size of each selected frame."""
        frames = record.open(task.scene)
        scale = Scale.between((frames.height, frames.width), clip.size)
        with LabelledTracks(task.inputs["tracks"], task.inputs["labels"]) as points:
            dense = densify(_Labelled(clip, points, scale), scratch, self.params.settings())
            pairs = zip(dense, frames, strict=True)
            for done, ids in enumerate(ordered_map(_lift, pairs, task.threads), start=1):
                task.progress(done, len(frames))
                yield ids

    def _write(
        self, task: Task, record: FrameRecord, lifted: Iterator[UInt8], census: ObjectCensus
    ) -> None:
        """Map masks to the target frames and write them."""
        target = record.target
        masks = map_to_source(
            lifted, record.target_positions, target.times, target.height, target.width
        )
        named = (
            (task.out / f"{name}.png", ids) for name, ids in zip(target.names, masks, strict=True)
        )
        for ids in ordered_map(_write_mask, named, task.threads):
            census.add(ids)


def _lift(pair: tuple[DenseFrame, UInt8]) -> UInt8:
    dense, full = pair
    return dense.lift(full)


def _write_mask(named: tuple[Path, UInt8]) -> UInt8:
    path, ids = named
    write_mask_png(path, ids)
    return ids


class _Labelled:
    """What the densifier reads, from the artefacts; see `LabelledClip`."""

    def __init__(self, clip: WorkingClip, points: LabelledTracks, scale: Scale) -> None:
        self._clip = clip
        self._points = points
        self._scale = scale
        self.rgb = clip.rgb
        self.forward = clip.forward
        self.backward = clip.backward

    def __len__(self) -> int:
        return len(self._clip)

    def points(self, index: int) -> PointLabels:
        points = self._points.points(index)
        xy = self._scale.to_working(points.xy)
        return PointLabels(xy=xy, log_odds=points.log_odds, weight=points.confidence)


class FolderScratch(MutableMapping[tuple[str, int], NDArray[Any]]):
    """Arrays by (name, frame) as files in a folder that is made now and removed at the end."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self._keys: set[tuple[str, int]] = set()

    def __setitem__(self, key: tuple[str, int], value: NDArray[Any]) -> None:
        save_array(self._path(key), value)
        self._keys.add(key)

    def __getitem__(self, key: tuple[str, int]) -> NDArray[Any]:
        if key not in self._keys:
            raise KeyError(key)
        return np.asarray(np.load(self._path(key)))

    def __delitem__(self, key: tuple[str, int]) -> None:
        self._keys.remove(key)
        self._path(key).unlink()

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, key: tuple[str, int]) -> Path:
        return self._folder / f"{key[0]}-{key[1]}.npy"
