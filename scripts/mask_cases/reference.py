"""SAM 2 called as the track-based reference calls it, on our driver's own steps.

Features of one frame are held at a time, so that every change of frame encodes again: for each
click of the grouping, each prompt, each object and each direction. All frames wait in memory at
the network's size; nothing that is remembered of an object is dropped; medoids are found by
sorting all distances; memories are attended to by the library's own module. Prompts, tracking and
memory are else the same code as ours, so that the pattern of the calls is what differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import Sam2VideoModel

from moseg.core.device import Device
from moseg.sam2.video.driver import Sam2Object
from moseg.sam2.video.pixels import sam2_pixels
from moseg.sam2.video.settings import VideoSettings
from moseg.sam2.video.steps import Steps

UInt8 = NDArray[np.uint8]


class OneFrame:
    """Image features of the frame last asked for."""

    def __init__(self, network: Sam2VideoModel, frames: list[UInt8], device: Device) -> None:
        self.encoded = 0
        self._network: Any = network
        self._device = torch.device(device.name)
        self._low = device.precision == "bfloat16"
        side: Any = self._network.prompt_encoder.input_image_size
        self._pixels = torch.cat(
            [sam2_pixels(torch.from_numpy(frame)[None], side, self._device) for frame in frames]
        )
        self._held: tuple[int, dict[str, list[torch.Tensor]]] | None = None

    def get_vision_features(self, frame: int) -> dict[str, list[torch.Tensor]]:
        """See `FeatureStore.get_vision_features`; encodes unless this frame came last."""
        if self._held is None or self._held[0] != frame:
            self._held = None
            self.encoded += 1
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self._low):
                found = self._network.get_image_features(self._pixels[frame : frame + 1])
            levels = [level.float() for level in found.fpn_hidden_states]
            encodings = list(found.fpn_position_encoding)
            self._held = (frame, {"vision_feats": levels, "vision_pos_embeds": encodings[-1:]})
        return self._held[1]


class ReferencePredictor:
    """Clicks and objects as `Sam2Predictor` has them."""

    def __init__(
        self,
        network: Sam2VideoModel,
        frames: Iterator[UInt8],
        count: int,
        size: tuple[int, int],
        device: Device,
    ) -> None:
        self.features = OneFrame(network, list(frames), device)
        store: Any = self.features
        attention = network.memory_attention
        self._steps = Steps(network, store, count, size, False, device)
        network.memory_attention = attention

    def click(self, frame: int, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """See `Predictor.click`."""
        session = self._steps.new_session()
        labels = np.ones(len(points), np.int32)
        return self._steps.mask(self._steps.click(session, frame, points, labels))

    def new_object(self) -> Sam2Object:
        """Return an object that forgets nothing."""
        found = Sam2Object(self._steps, VideoSettings().max_conditioning)
        forgetful: Any = found.session
        forgetful.forget = lambda near, visible: None
        return found


def sorted_medoid(points: NDArray[np.float32]) -> int:
    """Return the index of the medoid, found by sorting all distances."""
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    return int(np.sort(apart, axis=1).sum(axis=1).argmin())
