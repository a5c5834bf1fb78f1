"""The whole network, and how it is built from weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from moseg.models.strict import load_strict
from moseg.models.track_classifier.decoder import TransformerDecoder
from moseg.models.track_classifier.kernels import Attend, Kernels
from moseg.models.track_classifier.motion_encoder import MotionEncoder
from moseg.models.track_classifier.oanet import OrderAwareDecoder
from moseg.models.track_classifier.options import (
    DINO_CHANNELS,
    EMBEDDING,
    DinoPlace,
    Options,
)


class TrackClassifier(nn.Module):
    """Logits that tracks move on their own (SegAnyMo, CVPR 2025), of one scene at a time.

    Keys of the state dict are the official ones. Dropout, which only training has, is left out.

    Attributes:
        options: which variant it is.
    """

    def __init__(self, options: Options, kernels: Kernels | None = None) -> None:
        super().__init__()
        kernels = kernels or Kernels()
        self.options = options
        self.joint_encoder = MotionEncoder(options, kernels)
        self.decoder = _decoder(options, kernels.usual)

    def forward(
        self,
        traj: Tensor,
        mask: Tensor,
        depth: Tensor | None = None,
        visibility: Tensor | None = None,
        confidence: Tensor | None = None,
        dino: Tensor | None = None,
    ) -> Tensor:
        """Return logits float32 [N].

        Args:
            traj: float32 [2, N, L], positions, -1..1 from edge to edge, clamped.
            mask: float32 [N, L], 1 where the track is not visible, else 0.
            depth: float32 [N, L], 0..1, disparity read for each track and frame.
            visibility, confidence: float32 [N, L], 0..1.
            dino: float32 [N, 768], appearance at each track's query frame.

        What the options leave out is not looked at and may be None.

        Raises:
            ValueError: no track is visible in some frame, or an input is missing.
        """
        embedding = self.embed(traj, mask, depth, visibility, confidence, dino)
        return self.decide(embedding, dino)

    def embed(
        self,
        traj: Tensor,
        mask: Tensor,
        depth: Tensor | None = None,
        visibility: Tensor | None = None,
        confidence: Tensor | None = None,
        dino: Tensor | None = None,
    ) -> Tensor:
        """Return what each track does, summed up in float32 [N, 16]; arguments as in `forward`."""
        early = self._features("frames", dino)
        position = traj.permute(1, 2, 0)
        embedding: Tensor = self.joint_encoder(position, mask, depth, visibility, confidence, early)
        return embedding

    def decide(self, embedding: Tensor, dino: Tensor | None = None) -> Tensor:
        """Return logits float32 [N] for embeddings [N, 16] and features [N, 768]."""
        joined = self._features("embedding", dino)
        if joined is not None:
            embedding = torch.cat([embedding, joined], dim=-1)
        beside = self._features("feedforward", dino)
        logits: Tensor = self.decoder(embedding, *([] if beside is None else [beside]))
        return logits

    def _features(self, place: DinoPlace, dino: Tensor | None) -> Tensor | None:
        """Return the appearance features if this is where they enter."""
        if self.options.dino_place != place:
            return None
        if dino is None:
            raise ValueError("the options of this network need dino")
        return dino


def _decoder(options: Options, attend: Attend) -> nn.Module:
    place = options.dino_place
    channels = EMBEDDING + DINO_CHANNELS * (place == "embedding")
    if options.oanet:
        return OrderAwareDecoder(channels)
    return TransformerDecoder(channels, DINO_CHANNELS * (place == "feedforward"), attend)


def build_classifier(
    tensors: Mapping[str, Tensor], what: str, options: Options, kernels: Kernels | None = None
) -> TrackClassifier:
    """Return the network with these weights, in evaluation mode.

    Args:
        tensors: by official key.
        what: the checkpoint, for errors.
        options: see `fitting_options`.

    Raises:
        BackendError: tensors are missing, unexpected or of another shape.
    """
    with torch.device("meta"):
        network = TrackClassifier(options, kernels)
    load_strict(network, tensors, what)
    return network.eval()
