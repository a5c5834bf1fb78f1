"""The track classifier of SegAnyMo (CVPR 2025) as a task for the trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn

from moseg.core.errors import InputError
from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import DINO_CHANNELS, Options
from moseg.motion.datasets.sample import TrackSample
from moseg.motion.sampling import normalise
from moseg.training.losses import balanced_cross_entropy
from moseg.training.task import Better, Loss, Picture, TrainingTask

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]
Item = Mapping[str, Tensor]
THRESHOLD = 0.7
"""Probability above which a track counts as moving in the track IoU, as in the reference."""
PICTURES = 4


class Samples(Protocol):
    """What is learnt from; can be pickled."""

    def sample(self, seed: int, step: int, place: int) -> TrackSample:
        """Return a sample, a pure function of the arguments."""


class HeldOut(Protocol):
    """What it is judged by; can be pickled."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> TrackSample: ...


@dataclass(frozen=True)
class Drawn:
    """Held-out samples drawn from a source, always the same.

    Attributes:
        samples: the source.
        count: of samples.
    """

    samples: Samples
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> TrackSample:
        return self.samples.sample(0, number, 0)


Draw = Callable[[TrackSample, Float32], Picture]


class Judged(NamedTuple):
    """A sample's tracks that have a label: probability float32 [n], label bool [n], loss."""

    probability: Float32
    label: Bool
    loss: float


class ClassifierTask(TrainingTask[TrackClassifier, list[Item]]):
    """Trains the classifier on logits; the samples of a batch are classified one by one.

    Args:
        options: which variant is trained.
        samples: what it learns from.
        held_out: what it is judged by; pictures are of its first samples.
        draw: makes a picture of a sample and the probabilities float32 [N] of its tracks.
    """

    measures: ClassVar[Mapping[str, Better]] = {
        "iou": "largest",
        "auc": "largest",
        "loss": "smallest",
    }

    def __init__(self, options: Options, samples: Samples, held_out: HeldOut, draw: Draw) -> None:
        self._options, self._samples = options, samples
        self._held_out, self._draw = held_out, draw

    def make_network(self) -> TrackClassifier:
        """See `TrainingTask.make_network`; first weights as in the reference."""
        network = TrackClassifier(self._options)
        for weight in network.joint_encoder.transformer_model.parameters():
            if weight.ndim > 1:
                nn.init.xavier_uniform_(weight)
        return network

    def batch(self, seed: int, step: int, slots: range) -> list[Item]:
        """See `TrainingTask.batch`."""
        return [self._item(self._samples.sample(seed, step, slot)) for slot in slots]

    def loss(self, network: TrackClassifier, batch: list[Item]) -> Loss:
        """See `TrainingTask.loss`."""
        losses = [
            balanced_cross_entropy(_logits(network, item), item["label"], item["judged"])
            for item in batch
        ]
        return Loss(torch.stack(losses).mean())

    @property
    def validation_batches(self) -> int:
        """See `TrainingTask.validation_batches`."""
        return len(self._held_out)

    def validation_batch(self, number: int) -> list[Item]:
        """See `TrainingTask.validation_batch`."""
        return [self._item(self._held_out[number])]

    def judge(self, network: TrackClassifier, batch: list[Item]) -> Judged:
        """See `TrainingTask.judge`."""
        (item,) = batch
        logits = _logits(network, item)
        loss = balanced_cross_entropy(logits, item["label"], item["judged"])
        judged = item["judged"]
        probability = logits[judged].float().sigmoid()
        return Judged(probability.cpu().numpy(), item["label"][judged].cpu().numpy(), float(loss))

    def measure(self, results: Sequence[Judged]) -> Mapping[str, float]:
        """Return track IoU and loss, means over the samples, and ROC AUC of all tracks together.

        NaN where there is nothing to measure: without samples, and of the AUC where all tracks
        have one label. The IoU of a sample in which none moves and none is chosen is 0, as in
        the reference.
        """
        if not results:
            return dict.fromkeys(self.measures, float("nan"))
        ious = [track_iou(result.probability > THRESHOLD, result.label) for result in results]
        probability = np.concatenate([result.probability for result in results])
        label = np.concatenate([result.label for result in results])
        return {
            "iou": float(np.mean(ious)),
            "auc": ranking_area(probability, label),
            "loss": float(np.mean([result.loss for result in results])),
        }

    def pictures(self, network: TrackClassifier) -> Mapping[str, Picture]:
        """See `TrainingTask.pictures`: the first samples of the validation."""
        device = next(network.parameters()).device
        pictures = {}
        for number in range(min(PICTURES, len(self._held_out))):
            sample = self._held_out[number]
            item = {name: values.to(device) for name, values in self._item(sample).items()}
            probability = _logits(network, item).float().sigmoid().cpu().numpy()
            pictures[f"{number:02d}"] = self._draw(sample, probability)
        return pictures

    def metadata(self) -> Mapping[str, str]:
        """See `TrainingTask.metadata`."""
        return {"options": self._options.to_json()}

    def _item(self, sample: TrackSample) -> Item:
        """Return the arguments of the network, and `label` and `judged`."""
        options = self._options
        arrays: dict[str, Any] = {
            "traj": normalise(sample.xy, *sample.size).transpose(2, 0, 1),
            "mask": (~sample.visible).astype(np.float32),
            "visibility": sample.visibility,
            "confidence": sample.confidence,
            "label": sample.label,
            "judged": sample.judged,
        }
        if options.depths:
            arrays["depth"] = _given(sample.depth, "depth", "network.options.depths=false")
        if options.dino:
            arrays["dino"] = _features(sample.features)
        return {
            name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in arrays.items()
        }


def track_iou(chosen: Bool, moving: Bool) -> float:
    """Return intersection over union of tracks, bool [N] each; 0 where there is neither."""
    either = np.count_nonzero(chosen | moving)
    return np.count_nonzero(chosen & moving) / either if either else 0.0


def ranking_area(score: Float32, positive: Bool) -> float:
    """Return the area under the ROC curve, exactly; NaN where all have one label.

    It is the share of pairs, one positive and one negative, that the scores [N] order rightly;
    equal scores count half.
    """
    positives = int(np.count_nonzero(positive))
    pairs = positives * (len(positive) - positives)
    if not pairs:
        return float("nan")
    ranks = rankdata(score)[positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / pairs)


def _logits(network: TrackClassifier, item: Item) -> Tensor:
    inputs = {name: values for name, values in item.items() if name not in ("label", "judged")}
    logits: Tensor = network(**inputs)
    return logits


def _features(values: NDArray[np.floating] | None) -> Float32:
    found = _given(values, "appearance features", "network.options.dino=false")
    if found.shape[1] != DINO_CHANNELS:
        raise InputError(
            f"the samples have features of {found.shape[1]} channels, the track classifier takes "
            f"{DINO_CHANNELS}; make them with dinov2-vitb14, or set network.options.dino=false"
        )
    return found.astype(np.float32)


def _given(values: NDArray[Any] | None, what: str, without: str) -> NDArray[Any]:
    if values is None:
        raise InputError(f"the samples have no {what}; make them with it, or set {without}")
    return values
