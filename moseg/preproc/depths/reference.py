"""The depth slot from 16-bit images that another program made: `depth_anything_v2/<scene>/`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moseg.core.disparity import DisparityWriter
from moseg.core.foreign_files import content_digest
from moseg.core.foreign_maps import read_depth_image
from moseg.core.frame_record import FrameRecord
from moseg.core.scene import Scene
from moseg.core.stage import Backend, NoParams, Report, Task


class ReferenceDepths(Backend[NoParams]):
    """Reads `<frame>.png`, 16-bit grey at the size of the frames, one for every frame."""

    stage = "depths"
    name = "reference_files"
    version = 1
    needs = ("frames",)

    def __init__(self, folder: Path) -> None:
        super().__init__(NoParams())
        self.folder = folder

    def identity(self, scene: Scene) -> dict[str, str]:
        """The content of the images."""
        return {"files": content_digest(sorted((self.folder / scene.name).glob("*.png")))}

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        size = (frames.height, frames.width)
        with DisparityWriter(task.out, size, np.uint16) as writer:
            for done, name in enumerate(frames.names, start=1):
                path = self.folder / task.scene.name / f"{name}.png"
                writer.append(read_depth_image(path, size))
                task.progress(done, len(frames))
        return Report({"depth_images": len(frames)})
