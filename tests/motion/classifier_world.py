"""Scenes with everything the classifier reads, small, and weights for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from moseg.core.device import Device
from moseg.core.disparity import DisparityWriter
from moseg.core.point_features import PointFeatures
from moseg.core.query_points import QueryPoints
from moseg.core.stage import Report, Task
from moseg.core.track_array import TrackArrayWriter
from moseg.core.types import TrackLabels
from moseg.models.track_classifier.options import Options
from moseg.motion.classifier import ClassifierParams, TrackClassifierLabels
from tests.models.track_classifier.cases import random_classifier
from tests.preproc.network_tasks import image_task, pictures

FRAMES, H, W = 9, 24, 40
SEEN, HIDDEN = -4.0, 4.0
"""Logits of occlusion."""


def official(
    path: Path, options: Options | None = None, changes: Mapping[str, torch.Tensor] | None = None
) -> Path:
    """Write random weights as the authors of the classifier do."""
    state = random_classifier(options).state_dict() | dict(changes or {})
    torch.save({"epoch": 3, "model_state_dict": state}, path)
    return path


class World:
    """A scene with its artefacts, which tests change before they run the backend."""

    def __init__(
        self, folder: Path, queries: dict[int, int], frames: int = FRAMES, window: int | None = None
    ) -> None:
        """Args: `queries`, points of each query frame; `window`, frames tracked together."""
        self.folder = folder
        self.task = image_task(folder, pictures(frames, H, W))
        length = window or frames
        rng = np.random.default_rng(0)
        counts = list(queries.values())
        total = sum(counts)
        frame = np.repeat(np.array(list(queries), np.int64), counts)
        self.points = QueryPoints(
            starts=np.unique(frame // length) * length,
            length=length,
            window=np.unique(frame // length, return_inverse=True)[1],
            frame=frame,
            xy=rng.uniform(0, [W, H], (total, 2)).astype(np.float32),
            drawn=True,
        )
        steps = rng.normal(0, 1.5, (total, length, 2)).cumsum(axis=1)
        logits = rng.choice([SEEN, SEEN, HIDDEN], (total, length, 2))
        logits[..., 1] = -3
        self.tracks = np.concatenate([self.points.xy[:, None] + steps, logits], axis=-1)
        self.tracks = self.tracks.astype(np.float32)
        self.disparity = rng.uniform(1, 9, (frames, H, W)).astype(np.float32)
        self.features = rng.normal(size=(total, 768)).astype(np.float16)

    def write(self) -> Task:
        """Write the artefacts and return the task."""
        inputs = dict(self.task.inputs)
        for stage in ("tracks", "depths", "dinos"):
            inputs[stage] = self.folder / stage
            inputs[stage].mkdir(exist_ok=True)
        with TrackArrayWriter(inputs["tracks"], self.points) as tracks:
            tracks.append(self.tracks)
        with DisparityWriter(inputs["depths"], self.disparity.shape[1:]) as maps:
            for frame in self.disparity:
                maps.append(frame)
        PointFeatures(self.features).save(inputs["dinos"] / "points.npz")
        return replace(self.task, inputs=inputs)


def backend(
    checkpoint: Path, device: Device | None = None, **settings: Any
) -> TrackClassifierLabels:
    made = TrackClassifierLabels(ClassifierParams(checkpoint=str(checkpoint), **settings))
    made.prepare(device or Device())
    return made


def labels_of(task: Task) -> dict[int, TrackLabels]:
    return {int(path.stem): TrackLabels.load(path) for path in sorted(task.out.glob("*.npz"))}


def run(task: Task, checkpoint: Path, **settings: Any) -> tuple[dict[int, TrackLabels], Report]:
    made = backend(checkpoint, **settings)
    report = made.run(task)
    return labels_of(task), report


def probabilities(labels: dict[int, TrackLabels]) -> np.ndarray:
    return np.concatenate([labels[query].probability for query in sorted(labels)])


def stored(path: Path, options: Options) -> Path:
    """Write converted weights, with their options."""
    state = random_classifier(options).state_dict()
    save_file(dict(state), path, metadata={"options": options.to_json()})
    return path
