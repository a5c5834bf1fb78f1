"""The feature stage by a network: DINOv2 on every query frame.

The artefact is `points.npz` (`PointFeatures`), the features at the query points alone, or, where
whole maps are asked for, one `FeatureMap` a query frame as the built-in backend leaves them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.checkpoints.backend import NetworkBackend, NetworkParams
from moseg.core.errors import BackendError, CacheError
from moseg.core.frame_record import FrameRecord
from moseg.core.frames import RGB, Frames
from moseg.core.point_features import FILE, PointFeatures, nearest_cells
from moseg.core.query_points import QueryPoints
from moseg.core.stage import Report, Resources, Task
from moseg.core.types import FeatureMap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moseg.checkpoints.weights import Weights
    from moseg.models.foundation.dinov2 import KeyFeatures

Float16 = NDArray[np.float16]


class Dinov2Params(NetworkParams):
    """Appearance features by DINOv2."""

    backend: Literal["dinov2"] = Field(
        "dinov2", description="DINOv2 without registers, small, base, large or giant"
    )
    checkpoint: str = Field(
        "dinov2-vitb14", description="name of a known checkpoint, or path of a file or folder"
    )
    stride: int = Field(7, ge=1, le=14, description="pixels between patches of 14 pixels")
    block: int | None = Field(
        None, ge=0, description="block whose keys are the features, 0 the first; null the last"
    )
    maps: Literal["points", "full"] = Field(
        "points", description="what is kept: features at the query points, or whole maps"
    )
    batch: int = Field(1, ge=1, description="frames at a time; more is no faster on a CPU")


class Dinov2Features(NetworkBackend[Dinov2Params]):
    """Keys of one block, on a grid finer than the patches."""

    stage = "dinos"
    name = "dinov2"
    version = 1
    needs = ("frames", "queries")
    resources = Resources(memory_gb=2.0, gpu_memory_gb=2.0)
    network: KeyFeatures

    def build(self, weights: Weights) -> KeyFeatures:
        """See `NetworkBackend.build`."""
        from moseg.models.foundation import dinov2

        return dinov2.KeyFeatures(dinov2.build(weights), self.params.stride, self.params.block)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        points = QueryPoints.load(task.inputs["queries"])
        queries = points.query_frames
        if queries and queries[-1] >= len(frames):
            raise CacheError(f"{task.inputs['queries']} is of another scene; delete it, run again")
        with self.computing(task):
            if self.params.maps == "full":
                self._write_maps(task, frames, queries)
            else:
                self._write_points(task, frames, points)
        return Report({"query_frames": len(queries), "channels": self.network.channels})

    def _write_maps(self, task: Task, frames: Frames, queries: list[int]) -> None:
        for query, values in self._maps(task, frames, queries):
            features = FeatureMap(query, values, frames.width / values.shape[1])
            features.save(task.out / f"{query:05d}.npz")

    def _write_points(self, task: Task, frames: Frames, points: QueryPoints) -> None:
        sampled = np.zeros((len(points), self.network.channels), np.float16)
        for query, values in self._maps(task, frames, points.query_frames):
            rows = points.rows_of_frame(query)
            sampled[rows] = nearest_cells(values, points.xy[rows], frames.height, frames.width)
        PointFeatures(sampled).save(task.out / FILE)

    def _maps(
        self, task: Task, frames: Frames, queries: list[int]
    ) -> Iterator[tuple[int, Float16]]:
        """Yield each query frame with its features [h, w, C]; no more than a batch is held."""
        size, done = self.params.batch, 0
        for batch in frames.subset(queries).batches(size):
            for query, values in zip(
                queries[done : done + size], self._features(batch), strict=True
            ):
                if not np.isfinite(values).all():
                    raise BackendError(
                        f"frame {query}: the feature network returned values that are not "
                        "numbers; check the checkpoint, or set precision to float32"
                    )
                yield query, values
            done += len(batch)
            task.progress(done, len(queries))

    def _features(self, frames: RGB) -> Float16:
        """Return features [B, h, w, C] of frames [B, H, W, 3]."""
        import torch

        from moseg.models.foundation.preprocess import dino_pixels

        device = torch.device(self.device.name)
        pixels = dino_pixels(torch.from_numpy(frames).to(device))
        low = self.device.precision == "bfloat16"
        with torch.autocast(device.type, torch.bfloat16, enabled=low):
            features = self.network(pixels)
        return np.asarray(features.half().cpu().numpy())
