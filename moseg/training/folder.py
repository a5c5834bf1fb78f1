"""The folder of a training run: what is in it, and whether training may go on there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
import yaml
from PIL import Image
from safetensors.torch import save
from torch import nn

from moseg.core.config import read_yaml
from moseg.core.errors import ConfigError, InputError, writing_to
from moseg.core.files import published
from moseg.training.config import TrainingParams, differing_keys
from moseg.training.task import Picture


class RunFolder:
    """Where a training run writes, and what it finds there when it goes on.

    Attributes:
        config: frozen copy of the settings.
        last: checkpoint to go on from.
        best: the best weights, as safetensors.
        metrics: log, a row a value.
        curves: the log as a picture.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.last = path / "last.ckpt"
        self.best = path / "best.safetensors"
        self.metrics = path / "metrics.csv"
        self.curves = path / "curves.png"
        self._examples = path / "examples"

    def begin(self, params: TrainingParams) -> None:
        """Make the folder and freeze the settings.

        Raises:
            ConfigError: a training lies there already.
            OutputError: the folder cannot be written.
        """
        if self.config.exists() or self.last.exists():
            raise ConfigError(
                f"{self.path} holds a training already; go on with --resume, "
                "or choose another folder"
            )
        with writing_to(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(params.frozen(), sort_keys=False, allow_unicode=True)
        with published(self.config) as partial:
            partial.write_text(text, encoding="utf-8")

    def resume(self, params: TrainingParams) -> int:
        """Return the number of steps made so far: those of the last checkpoint, or 0.

        Raises:
            ConfigError: no training lies there, or one with other settings.
            InputError: the checkpoint is damaged.
        """
        if not self.config.exists():
            raise ConfigError(f"{self.path} holds no training; leave out --resume to start one")
        keys = differing_keys(read_yaml(self.config), params.frozen())
        if keys:
            raise ConfigError(
                f"{self.path} was trained with other settings ({', '.join(keys)}); set them as "
                f"in {self.config}, or choose another folder"
            )
        return self._steps_made() if self.last.exists() else 0

    def _steps_made(self) -> int:
        try:
            stored = torch.load(self.last, map_location="cpu", weights_only=True, mmap=True)
            return int(stored["global_step"])
        except Exception as error:  # a damaged pickle can fail in any way
            raise InputError(
                f"{self.last} is damaged; delete it and --resume starts from the beginning"
            ) from error

    def keep_best(
        self, network: nn.Module, metadata: Mapping[str, str], pictures: Mapping[str, Picture]
    ) -> None:
        """Write weights and example pictures, each whole or not at all."""
        tensors = {
            key: value.detach().cpu().contiguous().clone()
            for key, value in network.state_dict().items()
        }
        data = _in_order(save(tensors, {"format": "pt", **metadata}))
        with published(self.best) as partial:
            partial.write_bytes(data)
        with writing_to(self._examples):
            self._examples.mkdir(exist_ok=True)
        for name, picture in pictures.items():
            write_picture(self._examples / f"{name}.png", picture)


def _in_order(data: bytes) -> bytes:
    """Return a safetensors file with its metadata in order, so that equal weights are equal bytes.

    The library writes them as they happen to lie in memory.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text + data[start:]


def write_picture(path: Path, picture: Picture) -> None:
    """Write RGB uint8 [H, W, 3] as PNG, whole or not at all."""
    with published(path) as partial:
        Image.fromarray(picture).save(partial, format="PNG")
