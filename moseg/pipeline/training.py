"""From the settings of a training to the task that is trained."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import Field

from moseg.checkpoints.packages import require_packages
from moseg.core.config import apply_settings, read_yaml, validate
from moseg.core.errors import BackendError, ConfigError
from moseg.models.track_classifier.options import Options
from moseg.motion.datasets.mixing import open_mixture
from moseg.motion.datasets.sample import TrackSample
from moseg.motion.datasets.scenes import Reading
from moseg.motion.sample_files import SampleFiles
from moseg.motion.train_params import ClassifierNetworkParams, DatasetsParams, SampleFilesParams
from moseg.render.overlay import draw_tracks
from moseg.training.config import TrainingParams

if TYPE_CHECKING:
    from moseg.motion.train_classifier import HeldOut, Samples
    from moseg.training.telling import Say

Picture = npt.NDArray[np.uint8]
_SIDE = 640  # of the longer side of a frame in a picture, in pixels
_PAPER, _GAP = 25, 8


class TrainConfig(TrainingParams):
    """Settings of a training: the trainer's, the network's and those of its data."""

    network: ClassifierNetworkParams = ClassifierNetworkParams()
    data: SampleFilesParams | DatasetsParams = Field(
        discriminator="backend", description="what it learns from, and is judged by"
    )


def load_training(file: Path, settings: Sequence[str] = (), out: Path | None = None) -> TrainConfig:
    """Return the settings of a file with single ones on top.

    Args:
        settings: `section.key=value` texts.
        out: folder for the results, in place of the file's.

    Raises:
        ConfigError: an unknown key, a value out of range, or no folder; one line.
    """
    data = apply_settings(read_yaml(file), settings)
    if out is not None:
        data["out"] = str(out)
    config = validate(TrainConfig, data, str(file))
    if config.out is None:
        raise ConfigError(f"{file} names no folder for the results; give --out")
    return config


def train(config: TrainConfig, resume: bool, say: Say) -> list[str]:
    """Train what the settings say; see `moseg.training.run.fit`.

    Returns what a person is told at the end; nothing in the other processes of a training.

    Raises:
        BackendError: a package is missing.
        MosegError: the data cannot be read; and as `fit`.
    """
    _require_packages()
    from moseg.motion.train_classifier import ClassifierTask
    from moseg.training.devices import is_first_process
    from moseg.training.run import fit

    options = config.network.variant
    samples, held_out = _open_data(config.data, options)
    task = ClassifierTask(options, samples, held_out, picture_of)
    fit(config, task, Path(config.out or ""), resume, say)
    if not is_first_process():
        return []
    return [f"weights: {config.out}/best.safetensors", f"curves: {config.out}/curves.png"]


def picture_of(sample: TrackSample, probability: npt.NDArray[np.float32]) -> Picture:
    """Draw tracks in their query frame by truth, and beside it by the probability [N] of moving.

    RGB uint8 [h, w, 3]; without truth a track is pale at the left.
    """
    scale = _SIDE / max(sample.size)
    height, width = (max(1, round(side * scale)) for side in sample.size)
    paper = np.full((height, width, 3), _PAPER, np.uint8)
    places = sample.xy[:, sample.query_frame] * scale
    truth = np.where(sample.judged, sample.label.astype(np.float32), np.float32(np.nan))
    gap = np.full((height, _GAP, 3), 255, np.uint8)
    left, right = (draw_tracks(paper, places, values) for values in (truth, probability))
    return np.concatenate([left, gap, right], axis=1)


def _open_data(
    params: SampleFilesParams | DatasetsParams, options: Options
) -> tuple[Samples, HeldOut]:
    """Return what is learnt from, and what is held out."""
    from moseg.motion.train_classifier import Drawn

    if isinstance(params, SampleFilesParams):
        folder = Path(params.folder)
        return SampleFiles(folder / "train"), SampleFiles(folder / "validation")
    reading = Reading(options.depths, options.dino, options.depth_lookup, options.depth_read)
    held_out = Drawn(open_mixture(params.validation, reading), params.validation_samples)
    return open_mixture(params.train, reading), held_out


def _require_packages() -> None:
    require_packages("trainings", ("torch", "safetensors"))
    if importlib.util.find_spec("pytorch_lightning") is None:
        raise BackendError("trainings need Lightning: pip install 'moseg[train]'")
