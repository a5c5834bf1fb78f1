"""The depth stage by a network: Depth Anything V2 on every frame, each for itself.

The artefact is that of `moseg.core.disparity`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.checkpoints.backend import NetworkBackend, NetworkParams
from moseg.core.disparity import DisparityWriter
from moseg.core.errors import InputError
from moseg.core.frame_record import FrameRecord
from moseg.core.frames import RGB
from moseg.core.stage import Report, Resources, Task

if TYPE_CHECKING:
    from moseg.checkpoints.weights import Weights
    from moseg.models.foundation.depth_anything import DisparityNetwork

LONGEST = 16
"""Times the shorter side that the longer may be where both grow to `side` at least."""


class DepthAnythingParams(NetworkParams):
    """Disparity by Depth Anything V2."""

    backend: Literal["depth_anything_v2"] = Field(
        "depth_anything_v2", description="Depth Anything V2, small, base or large"
    )
    checkpoint: str = Field(
        "depth-anything-v2-large",
        description="name of a known checkpoint, or path of a file or folder",
    )
    resize: Literal["lower_bound", "minimal"] = Field(
        "lower_bound",
        description="size the network sees: both sides at least `side` (its authors), or the "
        "side that changes less equal to it (SegAnyMo's published depth)",
    )
    side: int = Field(518, ge=14, description="pixels; raised or rounded to multiples of 14")
    upsample: Literal["bicubic", "bilinear"] = Field(
        "bicubic", description="back to the frame's size: bicubic as SegAnyMo, or bilinear"
    )
    batch: int = Field(1, ge=1, description="frames at a time; more is no faster on a CPU")


class DepthAnythingDepths(NetworkBackend[DepthAnythingParams]):
    """Relative disparity in full precision, at the size of the frames."""

    stage = "depths"
    name = "depth_anything_v2"
    version = 1
    needs = ("frames",)
    resources = Resources(memory_gb=3.0, gpu_memory_gb=3.0)
    network: DisparityNetwork

    def build(self, weights: Weights) -> DisparityNetwork:
        """See `NetworkBackend.build`."""
        from moseg.models.foundation import depth_anything

        return depth_anything.DisparityNetwork(depth_anything.build(weights))

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        size = frames.height, frames.width
        if self.params.resize == "lower_bound" and max(size) > LONGEST * min(size):
            raise InputError(
                f"{task.scene.name}: frames of {size[1]}x{size[0]} pixels would grow too large "
                "for the depth network; set depths.resize to minimal"
            )
        done = constant = 0
        with self.computing(task), DisparityWriter(task.out, size) as writer:
            for batch in frames.batches(self.params.batch):
                for disparity in self._disparity(batch):
                    writer.append(disparity)
                    constant += int(disparity.min() == disparity.max())
                done += len(batch)
                task.progress(done, len(frames))
        return Report({"frames": done, "frames_of_constant_disparity": constant})

    def _disparity(self, frames: RGB) -> NDArray[np.float32]:
        """Return disparity [B, H, W] of frames [B, H, W, 3]."""
        import torch

        from moseg.models.foundation.depth_anything import at_image_size
        from moseg.models.foundation.preprocess import depth_pixels

        device = torch.device(self.device.name)
        rgb = torch.from_numpy(frames).to(device)
        pixels = depth_pixels(rgb, self.params.side, self.params.resize)
        low = self.device.precision == "bfloat16"
        with torch.autocast(device.type, torch.bfloat16, enabled=low):
            disparity = self.network(pixels)
        full = at_image_size(disparity, frames.shape[1:3], self.params.upsample)
        return np.asarray(full.cpu().numpy(), np.float32)
