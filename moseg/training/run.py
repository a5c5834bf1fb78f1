"""Training a task from its first step, or from where it was stopped, to its last."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch.multiprocessing.spawn import ProcessRaisedException

from moseg.core.errors import ConfigError, MosegError
from moseg.training.config import TrainingParams
from moseg.training.devices import is_first_process, lightning_arguments
from moseg.training.folder import RunFolder
from moseg.training.module import TaskModule
from moseg.training.quiet import quiet_lightning
from moseg.training.task import TrainingTask
from moseg.training.telling import Say
from moseg.training.watch import Watch


def fit(
    params: TrainingParams, task: TrainingTask[Any, Any], out: Path, resume: bool, say: Say
) -> None:
    """Train; all that comes out of it lies in `out`, see `RunFolder`.

    Stopped at any moment, it goes on from the last checkpoint when called with `resume`, and on
    the CPU it ends with the weights to the bit that an undisturbed run has.

    Args:
        out: is made; with `resume` it holds a training with the same settings.
        say: prints a line; can be pickled where there are several processes.

    Raises:
        ConfigError: the settings do not fit the task, the folder or the processes.
        InputError: the checkpoint is damaged.
        BackendError: the devices that are asked for are not there.
        OutputError: `out` cannot be written.
        Diverged: the loss is not a number any more.
        MosegError: what the task raises.
    """
    if params.best not in task.measures:
        raise ConfigError(f"best is '{params.best}': this task measures {', '.join(task.measures)}")
    arguments = lightning_arguments(params)
    folder = RunFolder(out)
    made = 0
    if resume:
        made = folder.resume(params)
    elif is_first_process():
        folder.begin(params)
    if made == params.steps:
        say(f"all {made} steps are made already")
        return
    if made:
        say(f"going on after step {made}")
    with quiet_lightning():
        trainer = pl.Trainer(
            **arguments,
            max_steps=params.steps,
            max_epochs=-1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[Watch(folder, say)],
            default_root_dir=out,
            use_distributed_sampler=False,
        )
        _run(trainer, TaskModule(task, params), folder.last if made else None)


def _run(trainer: pl.Trainer, module: TaskModule, checkpoint: Path | None) -> None:
    try:
        trainer.fit(module, ckpt_path=checkpoint, weights_only=True)
    except SystemExit as leaving:
        # Lightning makes this of Ctrl-C.
        if trainer.interrupted:
            raise KeyboardInterrupt from leaving
        raise
    except ProcessRaisedException as error:
        raise told_by_process(error) or error from None


def told_by_process(error: ProcessRaisedException) -> MosegError | None:
    """Return the error of a process, of which PyTorch passes on only the text; None for faults."""
    last = str(error).rstrip().rpartition("\n")[2]
    name, _, message = last.partition(": ")
    module, _, kind = name.rpartition(".")
    found = getattr(sys.modules.get(module), kind, None)
    if isinstance(found, type) and issubclass(found, MosegError):
        return found(message)
    return None
