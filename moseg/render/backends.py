"""The picture stages of `moseg run`: overlay video and contact sheet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.core.census import ObjectCensus
from moseg.core.frame_record import FrameRecord
from moseg.core.frames import Frames
from moseg.core.labelled_tracks import LabelledTracks
from moseg.core.masks import read_mask_png
from moseg.core.parallel import ordered_map
from moseg.core.stage import Backend, Params, Report, Task
from moseg.core.working_clip import Scale
from moseg.render.contact_sheet import ContactSheet, sheet_columns
from moseg.render.overlay import paint
from moseg.render.video_writer import VideoWriter

UInt8 = NDArray[np.uint8]


class OverlayParams(Params):
    """The overlay video."""

    alpha: float = Field(0.5, ge=0, le=1, description="strength of the objects' colours")


class Overlay(Backend[OverlayParams]):
    """The source video with objects painted on, at the source's own times."""

    stage = "overlay"
    name = "mp4"
    version = 1
    needs = ("frames", "masks")
    suffix = ".mp4"

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        index = FrameRecord.load(task.inputs["frames"]).index
        frames = Frames(task.scene, index)

        def painted(numbered: tuple[int, UInt8]) -> UInt8:
            number, frame = numbered
            ids = read_mask_png(task.inputs["masks"] / f"{index.names[number]}.png")
            return paint(frame, ids, self.params.alpha)

        pictures = ordered_map(painted, enumerate(frames), task.threads)
        with VideoWriter(task.out, index.height, index.width, index.fps) as writer:
            for number, picture in enumerate(pictures):
                writer.add(picture, index.times[number])
                task.progress(number + 1, len(index))
        return Report(notes=tuple(writer.notes))


class PreviewParams(Params):
    """The contact sheet."""

    columns: int = Field(6, ge=1, le=12, description="frames shown")


class Preview(Backend[PreviewParams]):
    """Frames, tracks coloured by label, and masks of a few frames on one picture."""

    stage = "preview"
    name = "sheet"
    version = 1
    needs = ("frames", "tracks", "labels", "masks")
    suffix = ".png"

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        record = FrameRecord.load(task.inputs["frames"])
        index, frames = record.index, record.open(task.scene)
        names = [record.target.names[position] for position in record.source_positions]
        census = ObjectCensus(names)
        for name in names:
            census.add(read_mask_png(task.inputs["masks"] / f"{name}.png"))
        sentence = "" if census.objects else "Nothing moves."
        sheet = ContactSheet(
            scene=task.scene.name,
            frames=len(index),
            height=index.height,
            width=index.width,
            objects=len(census.objects),
            sentence=sentence,
            columns=self.params.columns,
        )
        scale = Scale.between((index.height, index.width), (frames.height, frames.width))
        positions = sheet_columns(len(frames), self.params.columns)
        sources = [frames.source_indices[position] for position in positions]
        pictures = Frames(task.scene, index).subset(sources)
        with LabelledTracks(task.inputs["tracks"], task.inputs["labels"]) as points:
            for position, source, picture in zip(positions, sources, pictures, strict=True):
                seen = points.points(position)
                ids = read_mask_png(task.inputs["masks"] / f"{names[source]}.png")
                title = f"{index.names[source]}   {index.times[source]:.2f} s"
                sheet.add_column(picture, scale.to_selected(seen.xy), seen.probability, ids, title)
        sheet.save(task.out)
        return Report()
