"""A task as Lightning sees it: one step of training, and which weights are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.utils.data import DataLoader

from moseg.core.errors import MosegError
from moseg.core.seeds import derive_seed
from moseg.training.average import Average
from moseg.training.config import OptimiserParams, TrainingParams
from moseg.training.schedule import rate_factor
from moseg.training.steps import Steps, load_steps
from moseg.training.task import TrainingTask


class TaskModule(pl.LightningModule):
    """Trains the network of a task; all that changes from step to step follows from the step.

    Attributes:
        network: what is trained.
        figures: of the last step: `loss`, its parts, and `gradient_norm` before clipping.
    """

    def __init__(self, task: TrainingTask[Any, Any], params: TrainingParams) -> None:
        super().__init__()
        self.task, self.params = task, params
        with torch.random.fork_rng():
            torch.manual_seed(derive_seed(params.seed, "network"))
            self.network: nn.Module = task.make_network()
        self.average = None if params.ema is None else Average(self.network, params.ema)
        self.figures: dict[str, Tensor] = {}

    @property
    def judged(self) -> nn.Module:
        """The network that is validated and kept: the average where there is one."""
        return self.network if self.average is None else self.average.network

    def train_dataloader(self) -> DataLoader[Any]:
        """The steps that are still to be made, also after a checkpoint was read."""
        p = self.params
        first, rank = self.trainer.global_step, self.trainer.global_rank
        return load_steps(Steps(self.task, p.seed, p.batch, rank, first, p.steps), p.workers)

    def configure_optimizers(self) -> Optimizer:
        """See Lightning."""
        return make_optimiser(self.params.optimiser, self.network)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Set learning rate and seed of the step."""
        if isinstance(batch, MosegError):
            raise batch
        p, step = self.params, self.trainer.global_step
        torch.manual_seed(derive_seed(p.seed, "step", str(step), str(self.trainer.global_rank)))
        rate = p.optimiser.learning_rate * rate_factor(p.schedule, step, p.steps)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Return the loss of a batch."""
        loss = self.task.loss(self.network, batch)
        figures = {"loss": loss.total, **loss.parts}
        self.figures = {name: value.detach() for name, value in figures.items()}
        return loss.total

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,  # noqa: ARG002
        gradient_clip_val: float | None = None,  # noqa: ARG002
        gradient_clip_algorithm: str | None = None,  # noqa: ARG002
    ) -> None:
        """Cut the gradient's norm off, and take note of what it was."""
        clip = self.params.optimiser.clip
        largest = float("inf") if clip is None else clip
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), largest)
        self.figures["gradient_norm"] = norm.detach()

    def optimizer_step(
        self,
        epoch: int,
        batch_idx: int,
        optimizer: Any,
        optimizer_closure: Callable[[], Any] | None = None,
    ) -> None:
        """Make the step, and take it into the average."""
        step = self.trainer.global_step
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
        if self.average is not None:
            self.average.update(self.network, step)


def make_optimiser(params: OptimiserParams, network: nn.Module) -> Optimizer:
    """Return the optimiser of a network's weights."""
    kind: type[Adam] = {"adamw": AdamW, "adam": Adam}[params.kind]
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    return kind(weights, lr=params.learning_rate, weight_decay=params.weight_decay)
