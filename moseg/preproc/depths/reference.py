"""The depth slot from 16-bit images that another program made: `depth_anything_v2/<scene>/`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.disparity import DisparityWriter
from moseg.core.errors import InputError
from moseg.core.foreign_files import content_digest
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


def read_depth_image(path: Path, size: tuple[int, int]) -> NDArray[np.uint16]:
    """Return a 16-bit disparity image uint16 [H, W].

    Raises:
        InputError: missing, damaged, of another kind or of another size than the frames.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: every frame needs its depth; make it again")
    stored = cv2.imdecode(np.frombuffer(path.read_bytes() or b"-", np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise InputError(f"{path} is damaged or no image; make it again")
    if stored.dtype != np.uint16 or stored.ndim != 2:
        raise InputError(f"{path} is no 16-bit grey image; make it again")
    if stored.shape != size:
        raise InputError(
            f"{path} is {stored.shape[1]}x{stored.shape[0]} pixels, the frames are "
            f"{size[1]}x{size[0]}; use the same images, with or without --e, as when it was made"
        )
    return np.asarray(stored, np.uint16)
