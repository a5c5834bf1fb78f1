"""The `tracks` stage by TAPIR: query points followed by a network through windows of frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.checkpoints.backend import NetworkBackend, NetworkParams
from moseg.core.device import Device
from moseg.core.errors import BackendError, CacheError
from moseg.core.frame_record import FrameRecord
from moseg.core.frames import Frames
from moseg.core.query_points import QueryPoints
from moseg.core.stage import Report, Resources, Task
from moseg.core.track_array import TrackArrayWriter
from moseg.preproc.tracks.raster import Raster

if TYPE_CHECKING:
    from torch import nn

    from moseg.checkpoints.weights import Weights
    from moseg.models.tapir.grids import VideoFeatures
    from moseg.models.tapir.model import Tapir


class TapirParams(NetworkParams):
    """Which network tracks, on what, and how much of it at a time."""

    backend: Literal["tapir"] = Field("tapir", description="tracks by a TAPIR network")
    checkpoint: str = Field("bootstapir", description="name in the manifest, or a file")
    causal: bool = Field(
        False,
        description="tracks depend on earlier frames alone; true for online weights, which have "
        "the same tensors as the others",
    )
    temperature: float = Field(
        20.0,
        gt=0,
        description="sharpness of the first search: 20 as in the reference, 10 as BootsTAPIR was "
        "trained",
    )
    resolution: int = Field(
        256,
        ge=64,
        le=1024,
        multiple_of=8,
        description="frames are resized to this many pixels square; above 256 they are refined "
        "at several sizes",
    )
    coordinates: Literal["reference", "half_pixel"] = Field(
        "half_pixel",
        description="half_pixel maps points as frames are resized; reference is up to 2.8 pixels "
        "off, as in the tracks of the released classifier's authors",
    )
    batch: int = Field(128, ge=1, description="points tracked at a time; changes rounding only")
    chunk: int = Field(4, ge=1, description="frames encoded at a time; changes rounding only")
    grids: Literal["float32", "float16", "bfloat16"] = Field(
        "float32",
        description="how frame features are stored: float16 takes half the memory, so windows are "
        "twice as long, and moves tracks by a thousandth of a pixel; bfloat16 is no smaller and "
        "coarser, and may find another place where two look alike",
    )


class TapirTracks(NetworkBackend[TapirParams]):
    """Tracks of all query points, each through all frames of its window.

    Features of a frame are computed once and kept as long as a window needs them.
    """

    stage = "tracks"
    name = "tapir"
    version = 1
    needs = ("frames", "queries")
    resources = Resources(cpus=2, memory_gb=4, gpu_memory_gb=4)
    network: Tapir

    def build(self, weights: Weights) -> nn.Module:
        """See `NetworkBackend.build`."""
        from moseg.models.tapir.variant import load_tapir

        params = self.params
        told = weights.metadata.get("causal")
        if told is not None and told != str(params.causal).lower():
            raise BackendError(
                f"{params.checkpoint} has {'online' if told == 'true' else 'offline'} weights; "
                f"set causal: {told} for tracks"
            )
        return load_tapir(weights.tensors, str(weights.path), params.causal, params.temperature)

    def prepare(self, device: Device) -> None:
        """See `Backend.prepare`; in bfloat16 only the mixer's wide products are."""
        super().prepare(device)
        if device.precision == "bfloat16":
            import torch

            self.network.torch_pips_mixer.compute_in(torch.bfloat16)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        points = QueryPoints.load(task.inputs["queries"])
        if len(points.starts) and int(points.starts[-1]) + points.length > len(frames):
            raise CacheError(f"{task.inputs['queries']} is of another scene; delete it, run again")
        done = 0
        with self.computing(task), TrackArrayWriter(task.out, points) as writer:
            for block in self._blocks(frames, points):
                writer.append(block)
                done += len(block)
                task.progress(len(frames) * done // len(points), len(frames))
        return Report(
            {
                "tracks": len(points),
                "query_frames": len(points.query_frames),
                "windows": len(points.starts),
            }
        )

    def _blocks(self, frames: Frames, points: QueryPoints) -> Iterator[NDArray[np.float32]]:
        """Yield tracks [n, L, 4] in the order of the points, `batch` of them at most."""
        from moseg.preproc.tracks.tapir_windows import FeatureWindows

        size = (frames.height, frames.width)
        raster = Raster.between(size, self.params.resolution, self.params.coordinates)
        with closing(iter(frames)) as source:
            windows = FeatureWindows(self.network, source, points.length, self.params)
            for window, start in enumerate(points.starts):
                rows = points.rows(window)
                if rows.start == rows.stop:
                    continue
                features = windows.features(int(start))
                for first in range(rows.start, rows.stop, self.params.batch):
                    part = slice(first, min(first + self.params.batch, rows.stop))
                    local = points.frame[part] - start
                    yield self._track(features, local, points.xy[part], raster)

    def _track(
        self,
        features: VideoFeatures,
        frame: NDArray[np.int64],
        xy: NDArray[np.float32],
        raster: Raster,
    ) -> NDArray[np.float32]:
        """Track points (x, y) [n, 2] on frames [n] of a window; float32 [n, L, 4]."""
        import torch

        yx = raster.to_model(xy)[:, ::-1]
        tyx = np.concatenate([frame[:, None], yx], axis=1).astype(np.float32)
        known = torch.from_numpy(tyx).to(self.device.name)
        try:
            queries = self.network.query(features, known)
            found = self.network.track(features, queries, known, batch=self.params.batch)
        except torch.OutOfMemoryError as error:
            raise BackendError(
                f"tracks: {len(features)} frames and {len(xy)} points do not fit into the memory "
                f"of {self.device.name}; lower queries.memory_gb or batch"
            ) from error
        block = np.empty((len(xy), len(features), 4), np.float32)
        block[..., :2] = raster.to_pixels(found.xy.cpu().numpy())
        block[..., 2] = found.occlusion.cpu().numpy()
        block[..., 3] = found.distance.cpu().numpy()
        if not np.isfinite(block).all():
            raise BackendError(
                f"tracks: {self.params.checkpoint} gave numbers that are not finite; get the "
                "checkpoint again, or set grids and precision to float32"
            )
        # The network may move a point on its own frame too; there the position is known.
        block[np.arange(len(xy)), frame, :2] = xy
        return block
