"""What is remembered of one object, in the library's form but bounded.

The library keeps everything of every frame. A frame is read by later ones that are at most
`num_maskmem` - 1 (memory) or `max_object_pointers_in_encoder` - 1 (pointer) away.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import torch
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

from moseg.sam2.video.features import FeatureStore

if TYPE_CHECKING:
    from transformers import EdgeTamVideoConfig, Sam2VideoConfig

OBJECT = 0
"""Number of the only object of a session."""

Output = dict[str, torch.Tensor]
"""Of one frame: `pred_masks` [1, 1, h, w] logits, `object_score_logits` [1, 1, 1],
`object_pointer` [1, 1, C]; with a memory: `maskmem_features`, `maskmem_pos_enc`, as its family
shapes them."""


class ObjectSession(Sam2VideoInferenceSession):
    """The library's session for one object; image features come from a store.

    Its session for EdgeTAM is another class of the same content, so this one serves both.

    Args:
        count: frames of the whole scene.
    """

    def __init__(
        self, features: FeatureStore, config: Sam2VideoConfig | EdgeTamVideoConfig, count: int
    ) -> None:
        super().__init__(dtype=torch.float32)
        cache: Any = features
        self.cache = cache
        self._count = count
        self._memories = config.num_maskmem - 1
        self._pointers = min(count, config.max_object_pointers_in_encoder) - 1
        self.obj_id_to_idx(OBJECT)

    @property
    def num_frames(self) -> int:
        """Frames of the scene: as for a video, not for a stream without known end."""
        return self._count

    @property
    def conditioning(self) -> dict[int, Output]:
        """Outputs of prompted frames, by frame."""
        outputs: dict[int, Output] = self.output_dict_per_obj[OBJECT]["cond_frame_outputs"]
        return outputs

    @property
    def tracked(self) -> dict[int, Output]:
        """Outputs of the other frames, by frame."""
        outputs: dict[int, Output] = self.output_dict_per_obj[OBJECT]["non_cond_frame_outputs"]
        return outputs

    def forget(self, near: Collection[int], visible: Collection[int]) -> None:
        """Drop what cannot be read by a pass that goes on from one of the frames `near`.

        Args:
            near: frames; a pass may start at them or next to them, in either direction.
            visible: tracked frames whose masks are kept.
        """
        for frame, output in list(self.tracked.items()):
            distance = min(abs(frame - each) for each in near)
            if distance >= max(self._memories, self._pointers):
                del self.tracked[frame]
                continue
            if distance >= self._memories:
                output.pop("maskmem_features", None)
                output.pop("maskmem_pos_enc", None)
            if frame not in visible:
                output.pop("pred_masks", None)
                output.pop("object_score_logits", None)
