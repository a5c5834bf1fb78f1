"""What happens between two steps: log, validation, best weights, checkpoint; in this order."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from moseg.core.errors import MosegError
from moseg.core.files import published
from moseg.training.curves import training_curves
from moseg.training.folder import RunFolder, write_picture
from moseg.training.log import Log, has_tensorboard, read_rows
from moseg.training.module import TaskModule
from moseg.training.quiet import quieten_lightning
from moseg.training.telling import Say, Telling
from moseg.training.validation import asking, is_better, validate


class Diverged(MosegError):
    """The loss is not a number any more."""


class Watch(pl.Callback):
    """Looks after a training run from step to step.

    Process 0 writes and tells; the others take part in what needs all. A row of the log is the
    mean over the steps since the last one, and each checkpoint comes with a row, so that a run
    that goes on from it writes the same rows.

    Args:
        folder: see `RunFolder`.
        say: prints a line.
    """

    def __init__(self, folder: RunFolder, say: Say) -> None:
        self._folder, self._say = folder, say
        self._best = {"value": math.nan, "step": 0}
        self._sums: dict[str, Tensor] = {}
        self._summed = 0
        self._log: Log | None = None
        self._telling: Telling | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The first of us that a process which Lightning started gets to see.
        quieten_lightning()
        self.__dict__.update(state)

    def state_dict(self) -> dict[str, Any]:
        """The best value so far, for the checkpoint."""
        return dict(self._best)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See `state_dict`."""
        self._best = dict(state_dict)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the log."""
        params = _module(pl_module).params
        if not trainer.is_global_zero:
            return
        self._telling = Telling(self._say, trainer.global_step, params.steps)
        board = self._folder.path / "tensorboard" if params.tensorboard else None
        if board is not None and not has_tensorboard():
            self._say("note: no log for TensorBoard (pip install tensorboard); see metrics.csv")
            board = None
        self._log = Log(self._folder.metrics, trainer.global_step, board)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,  # noqa: ARG002
        batch: Any,  # noqa: ARG002
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Do what the step calls for."""
        module = _module(pl_module)
        params, step = module.params, trainer.global_step
        self._add(module.figures)

        def due(every: int) -> bool:
            return step % every == 0 or step == params.steps

        if due(params.log_every):
            self._write_figures(trainer, step)
        if due(params.validate_every):
            self._validate(trainer, module)
        if due(params.checkpoint_every):
            self._save(trainer)

    def teardown(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        pl_module: pl.LightningModule,  # noqa: ARG002
        stage: str,  # noqa: ARG002
    ) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()

    def _add(self, figures: dict[str, Tensor]) -> None:
        self._summed += 1
        for name, value in figures.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(value)) + value

    def _write_figures(self, trainer: pl.Trainer, step: int) -> None:
        """Write the means of all processes.

        Raises:
            Diverged: one is not a number.
        """
        names = sorted(self._sums)
        means = torch.stack([self._sums[name].float() for name in names]) / self._summed
        means = trainer.strategy.reduce(means, reduce_op="mean")
        values = dict(zip(names, means.tolist(), strict=True))
        self._sums, self._summed = {}, 0
        if not all(map(math.isfinite, values.values())):
            raise Diverged(
                f"the loss is not a number any more at step {step}; set a smaller "
                "optimiser.learning_rate, or optimiser.clip, and start again"
            )
        if self._log is not None and self._telling is not None:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            self._log.write(step, "training", {**values, "learning_rate": float(rate)})
            self._telling.step(step, values["loss"])

    def _validate(self, trainer: pl.Trainer, module: TaskModule) -> None:
        step, name = trainer.global_step, module.params.best
        measures = validate(module, trainer.precision_plugin.forward_context())
        better = is_better(module.task.measures[name], measures[name], self._best["value"])
        if better:
            self._best = {"value": measures[name], "step": step}
        if self._log is None or self._telling is None:
            return
        self._log.write(step, "validation", measures)
        self._telling.validation(step, measures, better)
        if better:
            self._keep(trainer, module)
        rows = list(read_rows(self._folder.metrics))
        write_picture(self._folder.curves, training_curves(module.params.name, rows))

    def _keep(self, trainer: pl.Trainer, module: TaskModule) -> None:
        with asking(module.judged), trainer.precision_plugin.forward_context():
            pictures = module.task.pictures(module.judged)
        told = {"step": str(self._best["step"]), module.params.best: str(self._best["value"])}
        self._folder.keep_best(module.judged, {**module.task.metadata(), **told}, pictures)

    def _save(self, trainer: pl.Trainer) -> None:
        """Write the checkpoint, whole or not at all; all processes take part."""
        if not trainer.is_global_zero:
            trainer.save_checkpoint(self._folder.last)
            return
        with published(self._folder.last) as partial:
            trainer.save_checkpoint(partial)


def _module(module: pl.LightningModule) -> TaskModule:
    assert isinstance(module, TaskModule)
    return module
