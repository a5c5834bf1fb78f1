"""Frames as image files: extracted from a video, or shrunk copies of a folder's images.

These folders are for people and other programs (specs of the reference layout: `images/`
and `resize_images/`); the stages of moseg read the source itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError
from moseg.core.frame_record import FrameRecord
from moseg.core.images import list_frames
from moseg.core.stage import Backend, NoParams, Report, Task


class ExtractImages(Backend[NoParams]):
    """The selected frames of a video as `00000.png`, `00001.png`, ... at their full size."""

    stage = "images"
    name = "png"
    version = 1
    needs = ("frames",)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        for i, frame in enumerate(frames):
            write_image(task.out / f"{i:05d}.png", frame)
            task.progress(i + 1, len(frames))
        return Report({"images": len(frames)})


class ResizedImages(Backend[NoParams]):
    """The selected images of a folder under their own names; copied where they fit already."""

    stage = "resized"
    name = "same-format"
    version = 1
    needs = ("frames",)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        record = FrameRecord.load(task.inputs["frames"])
        frames = record.open(task.scene)
        paths = list_frames(task.scene.source)
        fits = (frames.height, frames.width) == (record.index.height, record.index.width)
        if fits:
            for path in (paths[i] for i in frames.source_indices):
                shutil.copyfile(path, task.out / path.name)
            return Report({"resized": 0})
        for i, frame in zip(frames.source_indices, frames, strict=True):
            write_image(task.out / paths[i].name, frame)
            task.progress(i + 1, len(frames))
        return Report({"resized": len(frames)})


def write_image(path: Path, frame: NDArray[np.uint8]) -> None:
    """Write an RGB uint8 [H, W, 3] image in the format of the path's suffix.

    Lossless where the format is; JPEG and WebP at high quality.
    """
    options = {
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 98],
        ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 98],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, 98],
    }
    suffix = path.suffix.lower()
    done, data = cv2.imencode(suffix, frame[:, :, ::-1], options.get(suffix, []))
    if not done:
        raise InputError(f"{path.name}: a frame cannot be written in this format")
    path.write_bytes(data.tobytes())
