"""The `labels` stage by a network: the track classifier of SegAnyMo (CVPR 2025)."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from moseg.checkpoints.backend import NetworkBackend
from moseg.core.errors import BackendError
from moseg.core.frame_record import FrameRecord
from moseg.core.stage import Report, Resources, Task
from moseg.core.types import TrackLabels
from moseg.models.track_classifier.options import Options, fitting_options
from moseg.motion.classifier_inputs import ClassifierInputs, query_rows
from moseg.motion.classifier_params import ClassifierParams
from moseg.motion.ladder import LONG, choose_dynamic
from moseg.motion.sampling import Sample, normalise

if TYPE_CHECKING:
    from moseg.checkpoints.weights import Weights
    from moseg.models.track_classifier.model import TrackClassifier

__all__ = ["ClassifierParams", "TrackClassifierLabels"]

Float32 = NDArray[np.float32]

LIMIT = 8.0
"""Largest log-odds that are stored; a network may be surer than it should."""


@dataclass(frozen=True)
class _Window:
    """What is said of the tracks of one window, in their order; NaN where nothing is."""

    logits: Float32
    probability: Float32
    dynamic: NDArray[np.bool_]
    threshold: float


class TrackClassifierLabels(NetworkBackend[ClassifierParams]):
    """Classifies a sample of the tracks of each window; all of them where they are a sample."""

    stage = "labels"
    name = "track_classifier"
    version = 1
    seeded = True
    resources = Resources(cpus=2.0, memory_gb=4.0, gpu_memory_gb=8.0)
    packages = ("torch", "safetensors")
    network: TrackClassifier

    def __init__(self, params: ClassifierParams) -> None:
        super().__init__(params)
        self.needs = ("frames", "queries", "tracks")
        self.needs += ("dinos",) * params.uses_features
        self.needs += ("depths",) * (params.depth == "maps")

    def check(self) -> None:
        """See `Backend.check`."""
        super().check()
        if self.params.attention == "xformers" and not importlib.util.find_spec("xformers"):
            raise BackendError(
                "labels.attention is xformers, which is not installed: pip install xformers, "
                "or set it to sdpa"
            )

    def build(self, weights: Weights) -> TrackClassifier:
        """See `NetworkBackend.build`."""
        from moseg.models.track_classifier.kernels import choose_kernels
        from moseg.models.track_classifier.model import build_classifier

        what = str(weights.path)
        text = weights.metadata.get("options")
        options = fitting_options(
            {key: tuple(value.shape) for key, value in weights.tensors.items()},
            what,
            self.params.options.model_dump(exclude_none=True),
            stored=None if text is None else Options.from_json(text, what),
            assumed=Options(depths=self.params.depth != "none"),
        )
        _check_settings(self.params, options, what)
        kernels = choose_kernels(self.params.attention, self.device.precision)
        return build_classifier(weights.tensors, what, options, kernels)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        frames = FrameRecord.load(task.inputs["frames"]).open(task.scene)
        rng = np.random.default_rng(task.seed)
        windows = []
        with (
            self.computing(task),
            ClassifierInputs(
                task.inputs, frames, self.network.options, self.params.depth
            ) as inputs,
        ):
            for number, start in enumerate(inputs.points.starts):
                window = self._label(inputs, number, rng)
                for query, rows in query_rows(inputs.points, number):
                    labels = _labels_of(window, query, int(start), rows, inputs.points.length)
                    labels.save(task.out / f"{query:05d}.npz")
                windows.append(window)
                task.progress(int(start) + inputs.points.length, len(frames))
        return self._report(windows)

    def _label(self, inputs: ClassifierInputs, number: int, rng: np.random.Generator) -> _Window:
        """Classify the tracks of one window."""
        params = self.params
        rows = inputs.points.rows(number)
        logits = np.full(rows.stop - rows.start, np.nan, np.float32)
        sample = inputs.sample(number, params.limit, rng)
        if len(sample):
            logits[sample.rows] = self._logits(inputs, number, sample)
        dynamic = np.zeros(len(logits), bool)
        probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
        ladder = params.long_ladder if inputs.points.length > LONG else params.ladder
        dynamic[sample.rows], threshold = choose_dynamic(
            probability[sample.rows].astype(np.float32),
            ladder,
            params.least_tracks,
            params.fallback_tracks,
            params.minimum_probability,
        )
        return _Window(logits, probability.astype(np.float32), dynamic, threshold)

    def _logits(self, inputs: ClassifierInputs, number: int, sample: Sample) -> Float32:
        """Run the network; float32 [n]."""
        import torch

        device = torch.device(self.device.name)

        def tensor(array: Float32 | None) -> torch.Tensor | None:
            return None if array is None else torch.from_numpy(array).to(device)

        xy = normalise(sample.xy, *inputs.size).transpose(2, 0, 1)
        logits = self.network(
            tensor(np.ascontiguousarray(xy)),
            tensor((~sample.visible).astype(np.float32)),
            depth=tensor(inputs.depth(number, sample)),
            visibility=tensor(sample.visibility),
            confidence=tensor(sample.confidence),
            dino=tensor(inputs.features(number, sample)),
        )
        result: Float32 = logits.float().cpu().numpy()
        if not np.isfinite(result).all():
            raise BackendError(
                f"the track classifier {self.params.checkpoint} answers with values that are not "
                "numbers; check the checkpoint"
            )
        return result

    def _report(self, windows: list[_Window]) -> Report:
        labelled = sum(int(np.isfinite(window.logits).sum()) for window in windows)
        moving = sum(int(window.dynamic.sum()) for window in windows)
        summary = {
            "moving_tracks": moving,
            "labelled_tracks": labelled,
            "thresholds": [window.threshold for window in windows],
        }
        if moving:
            return Report(summary)
        if not labelled:
            return Report(summary, ("nothing moves: no track is visible in any frame",))
        highest = max(float(np.nanmax(window.probability, initial=0)) for window in windows)
        note = f"nothing moves: no track is probable enough, the most probable has {highest:.3f}"
        return Report(summary, (note,))


def _check_settings(params: ClassifierParams, options: Options, what: str) -> None:
    """Make sure that the depth setting is one the weights can be used with."""
    if params.depth == "none" and options.depths:
        raise BackendError(f"{what} uses depth, but labels.depth is none; set it to maps")
    if params.depth != "none" and not options.depths:
        raise BackendError(f"{what} uses no depth; set labels.depth to none")
    rules = options.depth_lookup, options.depth_read
    if params.depth == "ones" and rules != ("reference", "clip8"):
        raise BackendError(
            f"{what} reads depth by the rules {rules[0]} and {rules[1]}, for which ones cannot "
            "stand; set labels.depth to maps"
        )


def _labels_of(window: _Window, query: int, start: int, rows: slice, length: int) -> TrackLabels:
    """Return the labels of the tracks of one query frame."""
    log_odds = np.nan_to_num(np.clip(window.logits[rows], -LIMIT, LIMIT))
    return TrackLabels(
        query_frame=query,
        start=start,
        probability=window.probability[rows],
        log_odds=np.repeat(log_odds[:, None], length, axis=1),
        dynamic=window.dynamic[rows],
        threshold=window.threshold,
    )
