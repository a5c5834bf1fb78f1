"""Settings of a training run, and the copy of them that is kept beside the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from moseg.core.stage import Params


class OptimiserParams(Params):
    """How gradients become steps."""

    kind: Literal["adamw", "adam"] = Field(
        "adamw", description="adam adds the weight decay to the gradient, as the reference does"
    )
    learning_rate: float = Field(1e-4, gt=0, description="the highest of the schedule")
    weight_decay: float = Field(1e-4, ge=0, description="pull of all weights towards 0")
    clip: float | None = Field(None, gt=0, description="largest norm of the gradient; null: any")


class ScheduleParams(Params):
    """The learning rate over the steps."""

    kind: Literal["constant", "cosine"] = Field("constant", description="after the warm-up")
    warmup: int = Field(0, ge=0, description="steps in which it rises from 0")
    final: float = Field(0.0, ge=0, le=1, description="share that a cosine leaves at the end")


class TrainingParams(Params):
    """Settings of the trainer; each task adds its own."""

    harmless: ClassVar[frozenset[str]] = frozenset({"out", "workers"})

    name: str = Field(min_length=1, description="of the run, for people")
    out: str | None = Field(None, description="folder for all that comes out; or --out")
    seed: int = Field(0, ge=0, description="seed of everything random")
    steps: int = Field(ge=1, description="steps of the optimiser")
    batch: int = Field(1, ge=1, description="samples a step in each process")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="what computes")
    processes: int = Field(1, ge=1, description="processes, each with a GPU of its own if on GPUs")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16: where PyTorch holds it safe; weights stay float32"
    )
    workers: int = Field(0, ge=0, description="processes that make samples ahead, for each process")
    ema: float | None = Field(
        None, gt=0, lt=1, description="decay of the moving average of the weights; null: none"
    )
    log_every: int = Field(10, ge=1, description="steps that one row of the log is the mean of")
    validate_every: int = Field(ge=1, description="steps between validations; also at the end")
    checkpoint_every: int = Field(
        ge=1, description="steps between checkpoints, a multiple of log_every; also at the end"
    )
    best: str = Field(description="measure of the validation by which weights are the best")
    tensorboard: bool = Field(True, description="log for TensorBoard too, where it is installed")
    optimiser: OptimiserParams = OptimiserParams()
    schedule: ScheduleParams = ScheduleParams()

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        if self.checkpoint_every % self.log_every:
            raise ValueError(
                f"checkpoint_every is {self.checkpoint_every}, which is no multiple of "
                f"log_every, {self.log_every}"
            )
        if self.schedule.warmup >= self.steps:
            raise ValueError(
                f"schedule.warmup is {self.schedule.warmup}, but there are only {self.steps} steps"
            )
        return self

    def frozen(self) -> dict[str, Any]:
        """Return what the trained weights depend on, as plain values for YAML."""
        return self.model_dump(mode="json", exclude=set(self.harmless))


def differing_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the keys, as `section.key`, in which two frozen configurations differ."""
    one, other = dict(_flat(old)), dict(_flat(new))
    missing = object()
    return [key for key in {**one, **other} if one.get(key, missing) != other.get(key, missing)]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
