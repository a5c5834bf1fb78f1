"""The `masks` stage, built in: labelled tracks to object masks without a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.core.frame_record import FrameRecord
from moseg.core.labelled_tracks import LabelledTracks
from moseg.core.parallel import ordered_map
from moseg.core.stage import Backend, Report, Resources, Task
from moseg.core.working_clip import Scale, WorkingClip
from moseg.sam2.light.densify import (
    DenseFrame,
    DensifySettings,
    PointLabels,
    find_regions,
    sharpen,
)
from moseg.sam2.light.objects import ObjectSettings
from moseg.sam2.light.regions import TracksOnRegions
from moseg.sam2.light.scratch import FolderScratch
from moseg.sam2.mask_store import MaskStore
from moseg.sam2.moving_tracks import MovingTracks
from moseg.sam2.output import report_of, write_masks
from moseg.sam2.segment import segment
from moseg.sam2.settings import ObjectParams

UInt8 = NDArray[np.uint8]


class LightParams(ObjectParams):
    """How labelled tracks become masks."""

    backend: Literal["light"] = Field("light", description="without a network")
    window: int = Field(
        40, ge=2, description="frames worked on together; longer videos carry objects over"
    )
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
    version = 2
    needs = ("frames", "flow", "tracks", "labels")
    resources = Resources(memory_gb=1.0)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        record = FrameRecord.load(task.inputs["frames"])
        scratch = FolderScratch(task.out / ".scratch")
        try:
            with WorkingClip(task.inputs["flow"]) as clip:
                return self._run(task, record, clip, scratch)
        finally:
            scratch.remove()

    def _run(
        self, task: Task, record: FrameRecord, clip: WorkingClip, scratch: FolderScratch
    ) -> Report:
        frames, settings = record.open(task.scene), self.params.settings()
        scale = Scale.between((frames.height, frames.width), clip.size)
        inputs = task.inputs["tracks"], task.inputs["labels"]
        visible = self.params.confidence, self.params.tracks
        with (
            LabelledTracks(*inputs) as points,
            MovingTracks(*inputs, *visible, scale) as tracks,
            MaskStore(scratch.folder / "masks", clip.size) as store,
        ):
            labelled = _Labelled(clip, points, scale)
            regions = find_regions(labelled, scratch, settings)
            moving = TracksOnRegions(tracks, regions)
            found = segment(regions, moving, len(clip), store, self.params.segmenting(tracks.short))
            dense = sharpen(labelled, scratch, found.paint, settings)

            def lifted() -> Iterator[UInt8]:
                pairs = zip(dense, frames, strict=True)
                for done, ids in enumerate(ordered_map(_lift, pairs, task.threads), start=1):
                    task.progress(done, len(frames))
                    yield ids

            limits = self.params.specks, self.params.holes
            census = write_masks(task, record, lifted(), *limits)
            return report_of(census, found.scores, tracks.total, found.notes)


def _lift(pair: tuple[DenseFrame, UInt8]) -> UInt8:
    dense, full = pair
    return dense.lift(full)


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
