"""Image features of the frames of a window, each frame encoded once.

They are most of the work of SAM 2 and serve every click, object and direction. A frame takes
16 MiB in float32 and 8 MiB in bfloat16 at the published image size.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from moseg.checkpoints.backend import is_out_of_memory
from moseg.core.closing import Closing
from moseg.core.device import Device
from moseg.core.errors import CacheError, writing_to
from moseg.sam2.video.pixels import sam2_pixels
from moseg.sam2.video.settings import VideoSettings

if TYPE_CHECKING:
    from transformers import EdgeTamVideoModel, Sam2VideoModel

UInt8 = NDArray[np.uint8]
VideoNetwork: TypeAlias = "Sam2VideoModel | EdgeTamVideoModel"


class ImageEncoder:
    """The image encoder of a network on its device.

    Attributes:
        positions: sine encoding of the coarsest level, float32 [cells, 1, C], of every frame.
    """

    def __init__(self, network: VideoNetwork, device: Device) -> None:
        self._network: Any = network
        self._device = torch.device(device.name)
        self._low = device.precision == "bfloat16"
        self._neck: Any = network.vision_encoder.neck
        shape = 1, network.hidden_dim, *network.backbone_feature_sizes[-1]
        self.positions = flat(self._neck.position_encoding(shape, self._device, torch.float32))

    def __call__(self, rgb: UInt8) -> list[torch.Tensor]:
        """Return the features of frames [B, H, W, 3]: from fine to coarse, [cells, B, C].

        The library makes position encodings of all levels anew for every batch, which nobody
        reads; meanwhile they are left out.
        """
        encoding = self._neck.position_encoding
        self._neck.position_encoding = _Unread()
        try:
            with (
                torch.inference_mode(),
                torch.autocast(self._device.type, torch.bfloat16, enabled=self._low),
            ):
                side = self._network.prompt_encoder.input_image_size
                pixels = sam2_pixels(torch.from_numpy(rgb), side, self._device)
                return list(self._network.get_image_features(pixels).fpn_hidden_states)
        finally:
            self._neck.position_encoding = encoding


class FeatureStore(Closing):
    """Features of the frames of the open window, in memory and beyond that on the disk.

    Frames are taken from the iterator as they are needed, in order.

    Attributes:
        batch: frames encoded at a time, after what `halvings` tells.
        halvings: (frame, batch from this frame on), each time the memory did not suffice.
        encoded: frames encoded so far.
    """

    def __init__(
        self,
        encoder: ImageEncoder,
        frames: Iterator[UInt8],
        count: int,
        folder: Path,
        settings: VideoSettings,
        device: Device,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            frames: RGB uint8 [H, W, 3].
            count: of `frames`.
            folder: for files; made when the first is written.
        """
        self.batch = settings.batch
        self.halvings: list[tuple[int, int]] = []
        self.encoded = 0
        self._encoder = encoder
        self._frames = frames
        self._count = count
        self._folder = folder
        self._format = getattr(torch, settings.features)
        self._room = settings.memory_bytes
        self._device = torch.device(device.name)
        self._given = getattr(torch, device.precision)
        self._next = 0
        self._memory: dict[int, list[torch.Tensor]] = {}
        self._files: dict[int, Path] = {}
        self._shapes: list[torch.Size] = []
        self._recent: tuple[int, list[torch.Tensor]] | None = None

    def open_window(self, window: range) -> None:
        """Encode the frames of `window` that are not there yet; forget the ones before it.

        Raises:
            ValueError: frames that were forgotten, or beyond the last, or fewer than promised.
            OutputError: the disk cannot take them.
        """
        self._forget(window.start)
        held = {*self._memory, *self._files}
        if window.stop > self._count or not held.issuperset(range(window.start, self._next)):
            raise ValueError(f"no window {window} of {self._count} frames after {self._next}")
        for _ in islice(self._frames, max(window.start - self._next, 0)):
            self._next += 1
        while self._next < window.stop:
            some = list(islice(self._frames, min(self.batch, window.stop - self._next)))
            if not some:
                raise ValueError(f"{self._next} frames instead of {self._count}")
            self._encode(some)

    def get_vision_features(self, frame: int) -> dict[str, list[torch.Tensor]]:
        """Return features and positions by the names under which the library asks for them.

        Features: from fine to coarse, [cells, 1, C], on the device, in its number format.

        Raises:
            ValueError: the frame is not in the open window.
        """
        if self._recent is None or self._recent[0] != frame:
            levels = [level.to(self._device, self._given) for level in self._levels(frame)]
            self._recent = frame, [level[:, None] for level in levels]
        return {"vision_feats": self._recent[1], "vision_pos_embeds": [self._encoder.positions]}

    def close(self) -> None:
        """Remove the files and free the memory."""
        self._forget(self._count)

    def _encode(self, frames: list[UInt8]) -> None:
        """Encode frames that follow each other, `batch` at a time, smaller if need be."""
        while frames:
            part = frames[: self.batch]
            try:
                levels = self._encoder(np.stack(part))
            except RuntimeError as error:
                if len(part) == 1 or not is_out_of_memory(error):
                    raise
                levels = []
            if levels:
                for n in range(len(part)):
                    self._keep([level[:, n] for level in levels])
                frames = frames[len(part) :]
            else:
                self.batch = (len(part) + 1) // 2
                self.halvings.append((self._next, self.batch))
                if self._device.type == "cuda":
                    torch.cuda.empty_cache()

    def _keep(self, levels: list[torch.Tensor]) -> None:
        kept = [level.to("cpu", self._format, copy=True).contiguous() for level in levels]
        self._shapes = [level.shape for level in kept]
        size = sum(level.nbytes for level in kept)
        if (len(self._memory) + 1) * size <= self._room:
            self._memory[self._next] = kept
        else:
            path = self._folder / f"features_{self._next:06d}.raw"
            with writing_to(self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
                self._files[self._next] = path
                with path.open("wb") as file:
                    for level in kept:
                        file.write(level.view(torch.uint8).numpy().data)
        self._next += 1
        self.encoded += 1

    def _levels(self, frame: int) -> list[torch.Tensor]:
        """Return the levels [cells, C] of a frame, from memory or disk."""
        if frame in self._memory:
            return self._memory[frame]
        if frame not in self._files:
            raise ValueError(f"frame {frame} is not in the open window")
        values = torch.from_numpy(np.fromfile(self._files[frame], np.uint8)).view(self._format)
        lengths = [shape.numel() for shape in self._shapes]
        if len(values) != sum(lengths):
            raise CacheError(f"{self._files[frame]} was changed; run again")
        parts = torch.split(values, lengths)
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def _forget(self, before: int) -> None:
        self._recent = None
        for frame in [t for t in self._memory if t < before]:
            del self._memory[frame]
        for frame in [t for t in self._files if t < before]:
            self._files.pop(frame).unlink(missing_ok=True)


def flat(maps: torch.Tensor) -> torch.Tensor:
    """Return maps [B, C, h, w] as [h * w, B, C]."""
    return maps.flatten(2).permute(2, 0, 1)


class _Unread(nn.Module):
    """Stands for position encodings, and takes no memory."""

    def forward(self, shape: torch.Size, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
        return torch.zeros((), device=device, dtype=dtype).expand(shape)
