"""The networks that are driven, SAM 2 and EdgeTAM, and all in which the driver tells them apart.

EdgeTAM has SAM 2's prompts, passes and masks, and another image encoder; a perceiver shortens
its memories. The library's calls for both are private: the version of `transformers` is pinned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch

from moseg.models.foundation.sam2_memory import use_fast_memory
from moseg.sam2.video.features import VideoNetwork, flat
from moseg.sam2.video.state import OBJECT, ObjectSession, Output


class Family(ABC):
    """How a network of one family is called.

    Args:
        network: on its device, in float32.
    """

    def __init__(self, network: VideoNetwork) -> None:
        self._network: Any = network

    @abstractmethod
    def infer(self, session: ObjectSession, frame: int, **given: object) -> Output:
        """Return what the network tells of a frame; no memory is encoded.

        Args:
            given: `is_init_cond_frame`, `point_inputs`, `reverse`, `prev_sam_mask_logits` of the
                library's call.
        """

    @abstractmethod
    def memory_positions(self, device: torch.device) -> torch.Tensor:
        """Return the position encoding of a memory, float32; every frame's is the same."""


class Sam2(Family):
    """SAM 2 and 2.1: a memory has a vector for each cell of the coarsest level, [cells, 1, c]."""

    def __init__(self, network: VideoNetwork) -> None:
        super().__init__(network)
        use_fast_memory(network)

    def infer(self, session: ObjectSession, frame: int, **given: object) -> Output:
        """See `Family.infer`."""
        output: Output = self._network._run_single_frame_inference(
            session, frame, OBJECT, batch_size=1, mask_inputs=None, **given
        )
        return output

    def memory_positions(self, device: torch.device) -> torch.Tensor:
        """See `Family.memory_positions`."""
        network = self._network
        shape = 1, network.mem_dim, *network.backbone_feature_sizes[-1]
        return flat(network.memory_encoder.position_encoding(shape, device, torch.float32))


class EdgeTam(Family):
    """EdgeTAM: a memory is the perceiver's vectors, [1, n, c], those that have a place last."""

    def infer(self, session: ObjectSession, frame: int, **given: object) -> Output:
        """See `Family.infer`."""
        output: Output = self._network._run_single_frame_inference(
            session, frame, OBJECT, batch_size=1, mask_inputs=None, run_mem_encoder=False, **given
        )
        return output

    def memory_positions(self, device: torch.device) -> torch.Tensor:
        """See `Family.memory_positions`."""
        perceiver = self._network.spatial_perceiver
        placed = perceiver.num_latents_2d
        shape = 1, self._network.mem_dim, int(placed**0.5), int(placed**0.5)
        grid = flat(perceiver.positional_encoding(shape, device, torch.float32))
        nowhere = grid.new_zeros(perceiver.num_latents_1d, *grid.shape[1:])
        return torch.cat([nowhere, grid]).transpose(0, 1)


FAMILIES: Mapping[str, type[Family]] = {"sam2_video": Sam2, "edgetam_video": EdgeTam}
"""By the library's name for the kind of network."""


def family_of(network: VideoNetwork) -> Family:
    """Return the calls of a network; EdgeTAM's modules are not imported to tell them apart."""
    return FAMILIES[network.config.model_type](network)
