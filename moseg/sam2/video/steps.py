"""Single frames through the network: prompts, tracking, memory, masks.

The library's own way to prompt a session differs from the reference (a second click on a frame
forgets the first mask, prompts on other frames than the first are lost or poison what is tracked
before them), so its calls for one frame are put together here. They are private: the version of
`transformers` is pinned.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from moseg.core.device import Device
from moseg.sam2.predictor import Prediction
from moseg.sam2.video.families import family_of
from moseg.sam2.video.features import FeatureStore, VideoNetwork
from moseg.sam2.video.state import ObjectSession, Output

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

CLAMP = 32.0
"""Logits of a former mask are cut to this before they prompt."""
DRAWN = 20.0, -10.0
"""Scale and bias from a drawn mask (0, 1) to logits; also of its object score."""
HOLE = 8
"""Cells of the largest hole that is filled."""
FILLED = 0.1
"""Logit of a filled hole."""


class Steps:
    """What the network does with one frame of one object.

    Args:
        network: on its device, in float32.
        count: frames of the scene.
        size: height and width of masks, and of the pixels in which points are given.
        fill_holes: see `VideoSettings`.
    """

    def __init__(
        self,
        network: VideoNetwork,
        features: FeatureStore,
        count: int,
        size: tuple[int, int],
        fill_holes: bool,
        device: Device,
    ) -> None:
        self.size = size
        self._network: Any = network
        self._family = family_of(network)
        self._features = features
        self._count = count
        self._fill_holes = fill_holes
        self._device = torch.device(device.name)
        self._low = device.precision == "bfloat16"
        self._side = cast("int", network.prompt_encoder.input_image_size)
        self._memory_positions = self._family.memory_positions(self._device)

    def new_session(self) -> ObjectSession:
        """Return a session without prompts."""
        return ObjectSession(self._features, self._network.config, self._count)

    def click(
        self,
        session: ObjectSession,
        frame: int,
        points: Float32,
        labels: Int32,
        before: Output | None = None,
    ) -> Output:
        """Return what the points tell of a frame that was not tracked; no memory is read.

        Args:
            points: (x, y) pixels [n, 2].
            labels: [n], 1 on the object, 0 beside it.
            before: the output of this frame whose mask is refined.
        """
        height, width = self.size
        scale = np.array([self._side / width, self._side / height])
        xy = torch.from_numpy((points * scale).astype(np.float32)).to(self._device)
        kind = torch.from_numpy(labels.astype(np.int32)).to(self._device)
        with self._computing():
            output = self._family.infer(
                session,
                frame,
                is_init_cond_frame=True,
                point_inputs={"point_coords": xy[None, None], "point_labels": kind[None, None]},
                reverse=False,
                prev_sam_mask_logits=before and before["pred_masks"].clamp(-CLAMP, CLAMP),
            )
            return self._kept(output)

    def draw(self, frame: int, mask: Bool) -> Output:
        """Return a drawn mask [H, W] as the output of its frame.

        The library takes the pointer from another token than the reference does, and the memory
        from a sharper mask, so its own function for this is not called.
        """
        network = self._network
        with self._computing():
            drawn = torch.from_numpy(mask).to(self._device, torch.float32)[None, None]
            drawn = (_resized(drawn, (self._side, self._side), shrinking=True) >= 0.5).float()
            scale, bias = DRAWN
            logits = drawn * scale + bias
            levels = self._features.get_vision_features(frame)["vision_feats"]
            maps = [
                level.permute(1, 2, 0).view(1, -1, *size)
                for level, size in zip(levels, network.backbone_feature_sizes, strict=True)
            ]
            decoded = network._single_frame_forward(
                input_masks=network.mask_downsample(drawn),
                image_embeddings=maps,
                multimask_output=False,
            )
            seen = drawn.amax().view(1, 1, 1)
            output = {
                "pred_masks": _resized(
                    logits, network.prompt_encoder.mask_input_size, shrinking=True
                ),
                "object_score_logits": seen * scale + bias,
                "object_pointer": seen * decoded.object_pointer
                + (1 - seen) * network.no_object_pointer,
            }
            return self._kept(output)

    def track(self, session: ObjectSession, frame: int, reverse: bool) -> Output:
        """Find the object in a frame by what is remembered of it; remember what was found.

        Args:
            reverse: whether time runs backwards.
        """
        with self._computing():
            output = self._family.infer(
                session, frame, is_init_cond_frame=False, point_inputs=None, reverse=reverse
            )
            kept = session.tracked[frame] = self._kept(output)
            self._remember(frame, kept, output["pred_masks"].float(), prompted=False)
            return kept

    def remember(self, session: ObjectSession, frame: int) -> None:
        """Encode the memory of a prompted frame, of its mask in black and white."""
        with self._computing():
            output = session.conditioning[frame]
            self._remember(frame, output, output["pred_masks"], prompted=True)

    def mask(self, output: Output) -> Bool:
        """Return the mask of an output, bool [H, W]."""
        with self._computing():
            mask = _resized(output["pred_masks"], self.size)[0, 0] > 0
        return np.asarray(mask.cpu().numpy())

    def prediction(self, frame: int, output: Output) -> Prediction:
        """Return mask and score: that the object is there, times how sure its cells are."""
        mask = self.mask(output)
        if not mask.any():
            return Prediction(frame, mask, 0.0)
        logits = output["pred_masks"]
        cells = logits[logits > 0].sigmoid().mean()
        there = output["object_score_logits"].sigmoid()
        return Prediction(frame, mask, float(there * cells))

    @contextmanager
    def _computing(self) -> Iterator[None]:
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._low),
        ):
            yield

    def _kept(self, output: Output) -> Output:
        """Return what is kept of the network's output: not the large masks."""
        logits = output["pred_masks"].float()
        return {
            "pred_masks": filled(logits) if self._fill_holes else logits,
            "object_score_logits": output["object_score_logits"].float(),
            "object_pointer": output["object_pointer"],
        }

    def _remember(self, frame: int, output: Output, logits: torch.Tensor, prompted: bool) -> None:
        """Add the memory of a frame, encoded from a mask [1, 1, h, w], to its output."""
        output["maskmem_features"], _ = self._network._encode_new_memory(
            current_vision_feats=self._features.get_vision_features(frame)["vision_feats"][-1],
            pred_masks_high_res=_resized(logits, (self._side, self._side)),
            object_score_logits=output["object_score_logits"],
            is_mask_from_pts=prompted,
        )
        output["maskmem_pos_enc"] = self._memory_positions


def filled(logits: torch.Tensor) -> torch.Tensor:
    """Return logits [1, 1, h, w] with small holes just above 0.

    A hole is up to `HOLE` cells at or below 0 that touch, corners included, as in the reference.
    """
    background = (logits[0, 0] <= 0).cpu().numpy().astype(np.uint8)
    _, parts, about, _ = cv2.connectedComponentsWithStats(background, connectivity=8)
    small = about[:, cv2.CC_STAT_AREA] <= HOLE
    small[0] = False
    holes = torch.from_numpy(small[parts]).to(logits.device)
    return logits.masked_fill(holes, FILLED)


def _resized(
    image: torch.Tensor, size: tuple[int, int], *, shrinking: bool = False
) -> torch.Tensor:
    return functional.interpolate(
        image, size=size, mode="bilinear", align_corners=False, antialias=shrinking
    )
