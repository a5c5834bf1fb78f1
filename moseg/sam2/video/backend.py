"""The `masks` stage by SAM 2: moving tracks prompt a network that follows objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.checkpoints.backend import NetworkBackend, NetworkParams
from moseg.checkpoints.families import kind_of
from moseg.core.errors import BackendError
from moseg.core.frame_record import FrameRecord
from moseg.core.stage import Report, Resources, Task
from moseg.sam2.mask_store import MaskStore
from moseg.sam2.moving_tracks import MovingTracks
from moseg.sam2.output import report_of, write_masks
from moseg.sam2.segment import segment
from moseg.sam2.settings import ObjectParams
from moseg.sam2.video.settings import VideoSettings

if TYPE_CHECKING:
    from torch import nn

    from moseg.checkpoints.weights import Weights
    from moseg.sam2.video.features import VideoNetwork


class Sam2Params(NetworkParams, ObjectParams):
    """Which SAM 2, and how its features are kept."""

    harmless: ClassVar[frozenset[str]] = frozenset({"memory_gb"})

    backend: Literal["sam2"] = Field("sam2", description="SAM 2 or 2.1, tiny to large; or EdgeTAM")
    checkpoint: str = Field(
        "sam2-hiera-large", description="name of a known checkpoint, or path of a file or folder"
    )
    batch: int = Field(
        4, ge=1, description="frames encoded at a time; halved when memory runs out; rounding only"
    )
    features: Literal["bfloat16", "float32"] = Field(
        "bfloat16", description="how the features of a frame are kept: 8 or 16 MB each"
    )
    memory_gb: float = Field(
        4.0, gt=0, description="features kept in memory; those beyond it wait on disk"
    )
    fill_holes: bool = Field(
        False,
        description="fill holes of up to 8 of the network's pixels, as its authors' GPU code does",
    )

    def driving(self) -> VideoSettings:
        """Return these as the driver takes them."""
        return VideoSettings(
            memory_bytes=int(self.memory_gb * 1e9),
            batch=self.batch,
            features=self.features,
            fill_holes=self.fill_holes,
        )


class Sam2Masks(NetworkBackend[Sam2Params]):
    """Objects from moving tracks, each frame encoded once; one mask a frame of the source."""

    stage = "masks"
    name = "sam2"
    version = 1
    needs = ("frames", "tracks", "labels")
    resources = Resources(cpus=2, memory_gb=6, gpu_memory_gb=8)
    when_out_of_memory = "use a smaller masks.checkpoint, or set device to cpu"
    network: VideoNetwork

    def check(self) -> None:
        """See `Backend.check`: the checkpoint is one of SAM 2, or of EdgeTAM and that can run."""
        super().check()
        from moseg.checkpoints.weights import read_weights

        path = self.checkpoint.path
        family = kind_of(read_weights(path)).family
        if family not in ("sam2", "edgetam"):
            raise BackendError(
                f"{path} is a checkpoint of {family}; "
                f"stage {self.stage} needs one of SAM 2 or EdgeTAM"
            )
        if family == "edgetam":
            from moseg.models.foundation import edgetam

            edgetam.require_timm(path)

    def build(self, weights: Weights) -> nn.Module:
        """See `NetworkBackend.build`."""
        return kind_of(weights).build(weights)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        from moseg.sam2.video.driver import Sam2Predictor

        params = self.params
        record = FrameRecord.load(task.inputs["frames"])
        frames = record.open(task.scene)
        size = frames.height, frames.width
        scratch = task.out / ".scratch"
        scratch.mkdir(parents=True)
        progress = _Progress(task.progress, len(frames))
        with ExitStack() as stack:
            stack.enter_context(self.computing(task))
            tracks = stack.enter_context(
                MovingTracks(
                    task.inputs["tracks"], task.inputs["labels"], params.confidence, params.tracks
                )
            )
            store = stack.enter_context(MaskStore(scratch / "masks", size))
            source = stack.enter_context(closing(iter(frames)))
            predictor = stack.enter_context(
                Sam2Predictor(
                    self.network,
                    progress.reading(source),
                    len(frames),
                    size,
                    scratch,
                    params.driving(),
                    self.device,
                )
            )
            found = segment(
                predictor,
                tracks,
                len(frames),
                store,
                params.segmenting(tracks.short),
                progress.followed,
            )
            masks = (found.paint(frame) for frame in range(len(frames)))
            census = write_masks(task, record, masks, params.specks, params.holes)
            notes = (*found.notes, *predictor.notes)
        scratch.rmdir()
        return report_of(census, found.scores, tracks.total, notes)


class _Progress:
    """Half of the work on a frame is to encode it, half to follow objects through it."""

    def __init__(self, tell: Callable[[int, int], None], frames: int) -> None:
        self._tell = tell
        self._frames = frames
        self._read = 0
        self._followed = 0

    def reading(self, frames: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames; one is encoded when the next is asked for."""
        for frame in frames:
            yield frame
            self._read += 1
            self._tell((self._read + self._followed) // 2, self._frames)

    def followed(self, done: int, total: int) -> None:
        """Take how many of all frames objects were followed through."""
        self._followed = done
        if done == total:
            self._read = self._frames
        self._tell((self._read + self._followed) // 2, self._frames)
