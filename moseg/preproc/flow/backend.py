"""The `flow` stage: working frames and the DIS flow between them, computed once a scene."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.core.frame_record import FrameRecord
from moseg.core.frames import Frames
from moseg.core.parallel import ordered_map
from moseg.core.selection import working_size
from moseg.core.stage import Backend, Params, Report, Resources, Task
from moseg.core.working_clip import WorkingClipWriter
from moseg.preproc.flow.dis import flow_pair

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]


class FlowParams(Params):
    """Size of the frames that the built-in backends compute on."""

    pixels: int = Field(
        103_000, ge=1_000, le=4_000_000, description="pixels of a working frame, about"
    )


class DisFlow(Backend[FlowParams]):
    """Forward and backward DIS flow at working size."""

    stage = "flow"
    name = "dis"
    version = 1
    needs = ("frames",)
    resources = Resources(memory_gb=0.5)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        size = working_size(frames.height, frames.width, self.params.pixels)
        small = frames.resized(*size)
        with WorkingClipWriter(task.out, size) as writer:
            pairs = _pairs(small, writer)
            for done, (forward, backward) in enumerate(
                ordered_map(_flow_of_pair, pairs, task.threads), start=1
            ):
                writer.add_flow(forward, backward)
                task.progress(done + 1, len(frames))
        return Report({"working_height": size[0], "working_width": size[1]})


def _pairs(frames: Frames, writer: WorkingClipWriter) -> Iterator[tuple[UInt8, UInt8]]:
    """Yield grey frames t and t + 1, writing each colour frame as it passes."""
    before: UInt8 | None = None
    for frame in frames:
        writer.add_frame(frame)
        grey: UInt8 = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint8)
        if before is not None:
            yield before, grey
        before = grey


def _flow_of_pair(pair: tuple[UInt8, UInt8]) -> tuple[Float32, Float32]:
    return flow_pair(*pair)
