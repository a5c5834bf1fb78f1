"""Disparity as 16-bit PNGs, one a frame: the depth folder of the reference layout."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.arrays import FrameArray
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
        with FrameArray(task.inputs["depths"] / "disparity.npy") as maps:

            def write(frame: int) -> None:
                disparity = maps[frame].astype(np.float32)
                full = cv2.resize(disparity, size, interpolation=cv2.INTER_LINEAR)
                _, png = cv2.imencode(".png", to_uint16(np.asarray(full, np.float32)))
                (task.out / f"{frames.names[frame]}.png").write_bytes(png.tobytes())

            for done, _ in enumerate(ordered_map(write, range(len(frames)), task.threads), 1):
                task.progress(done, len(frames))
        return Report({"depth_images": len(frames)})


def to_uint16(disparity: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Stretch one frame's disparity [H, W] to 0..65535; a constant one becomes all zeros."""
    low, high = float(disparity.min()), float(disparity.max())
    if high - low <= np.finfo(np.float64).eps:
        return np.zeros(disparity.shape, np.uint16)
    return (65535 * ((disparity.astype(np.float64) - low) / (high - low))).astype(np.uint16)
