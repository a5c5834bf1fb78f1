"""A task that trains in a second, and its settings, for the tests beside this file."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from moseg.core.errors import InputError
from moseg.training.config import TrainingParams
from moseg.training.task import Better, Loss, TrainingTask

Batch = dict[str, Tensor]


@dataclass
class ToyTask(TrainingTask[nn.Module, Batch]):
    """Learns the sum of four numbers with a small network that has dropout.

    Attributes:
        dropout: share of numbers left out in training.
        plain: without normalisation by statistics of the batch.
        dies_at: step whose batch kills the process.
        fails_at: step whose batch cannot be made.
        breaks_at: step from which the loss is not a number.
        scores: value of the measure `score` in each validation, in turn.
    """

    measures: ClassVar[Mapping[str, Better]] = {"error": "smallest", "score": "largest"}
    dropout: float = 0.2
    plain: bool = False
    dies_at: int = -1
    fails_at: int = -1
    breaks_at: int = -1
    scores: Sequence[float] = (0.5,)
    asked: int = 0

    def make_network(self) -> nn.Module:
        norm = nn.Identity() if self.plain else nn.BatchNorm1d(8)
        chance = nn.Dropout(self.dropout)
        return nn.Sequential(nn.Linear(4, 8), norm, nn.Tanh(), chance, nn.Linear(8, 1))

    def batch(self, seed: int, step: int, slots: range) -> Batch:
        if step == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if step == self.fails_at:
            raise InputError("frame 7 is gone; bring it back")
        values = [numbers(seed, step, slot) for slot in slots]
        gain = float("nan") if 0 <= self.breaks_at <= step else 1.0
        return {"values": torch.cat(values) * gain}

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        found = network(batch["values"])[:, 0]
        squares = (found - batch["values"].sum(dim=1)).square().mean()
        return Loss(squares, {"half": squares / 2})

    @property
    def validation_batches(self) -> int:
        return 3

    def validation_batch(self, number: int) -> Batch:
        return {"values": numbers(-1, number, 0)}

    def judge(self, network: nn.Module, batch: Batch) -> Any:
        assert not network.training
        assert not torch.is_grad_enabled()
        return float(self.loss(network, batch).total)

    def measure(self, results: Sequence[Any]) -> Mapping[str, float]:
        score = self.scores[min(self.asked, len(self.scores) - 1)]
        self.asked += 1
        return {"error": float(np.mean(results)), "score": score}

    def pictures(self, network: nn.Module) -> Mapping[str, np.ndarray]:  # noqa: ARG002
        return {"grey": np.full((4, 6, 3), 90, np.uint8)}

    def metadata(self) -> Mapping[str, str]:
        return {"kind": "toy"}


def numbers(seed: int, step: int, slot: int) -> Tensor:
    """Float32 [8, 4]."""
    generator = torch.Generator().manual_seed((seed + 1) * 1_000_003 + step * 1009 + slot)
    return torch.rand(8, 4, generator=generator)


def toy_params(**over: Any) -> TrainingParams:
    """Settings of a short training on the CPU."""
    plain: dict[str, Any] = {
        "name": "toy",
        "steps": 40,
        "device": "cpu",
        "log_every": 5,
        "validate_every": 20,
        "checkpoint_every": 10,
        "best": "error",
        "tensorboard": False,
        "ema": 0.9,
        "optimiser": {"learning_rate": 0.01, "clip": 1.0},
        "schedule": {"kind": "cosine", "warmup": 4},
    }
    return TrainingParams.model_validate({**plain, **over})


def train_toy(
    out: Path, task: ToyTask | None = None, resume: bool = False, **over: Any
) -> list[str]:
    """Train, and return what was said."""
    # Here, so that processes which make samples need not load Lightning.
    from moseg.training.run import fit

    said: list[str] = []
    fit(toy_params(**over), task or ToyTask(), out, resume, said.append)
    return said


def stored(out: Path) -> dict[str, Tensor]:
    """All weights in the last checkpoint: the network's and the average's."""
    checkpoint = torch.load(out / "last.ckpt", weights_only=True)
    return dict(checkpoint["state_dict"])


def assert_same_weights(one: Path, other: Path) -> None:
    """Both trainings ended with the same weights, to the bit."""
    first, second = stored(one), stored(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
