"""Disparity as 16-bit PNGs, one a frame: the depth folder of the reference layout."""

from __future__ import annotations

import cv2
import numpy as np

from moseg.core.disparity import DisparityMaps, to_uint16
from moseg.core.frame_record import FrameRecord
from moseg.core.parallel import ordered_map
from moseg.core.stage import Backend, NoParams, Report, Task


class DepthImages(Backend[NoParams]):
    """Writes `<frame>.png`, 16-bit grey at the size of the selected frames, large is near."""

    stage = "depth_images"
    name = "png16"
    version = 1
    needs = ("frames", "depths")

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        size = (frames.width, frames.height)
        with DisparityMaps(task.inputs["depths"]) as maps:

            def write(frame: int) -> None:
                if maps.size == (frames.height, frames.width):
                    values = maps.uint16(frame)
                else:
                    full = cv2.resize(maps.raw(frame), size, interpolation=cv2.INTER_LINEAR)
                    values = to_uint16(np.asarray(full, np.float32))
                _, png = cv2.imencode(".png", values)
                (task.out / f"{frames.names[frame]}.png").write_bytes(png.tobytes())

            for done, _ in enumerate(ordered_map(write, range(len(frames)), task.threads), 1):
                task.progress(done, len(frames))
        return Report({"depth_images": len(frames)})
