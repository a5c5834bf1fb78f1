"""Which processors a training run computes on, and how its processes come to be."""

from __future__ import annotations

import os
from typing import Any

import torch
import torch.distributed as dist

from moseg.core.device import choose_device
from moseg.core.errors import BackendError, ConfigError
from moseg.training.config import TrainingParams


def is_first_process() -> bool:
    """Whether this is the only process so far, or the first that torchrun started."""
    return not _under_torchrun() or os.environ["RANK"] == "0"


def lightning_arguments(params: TrainingParams) -> dict[str, Any]:
    """Return the arguments of Lightning's trainer that say where it computes.

    Processes are those of torchrun where it started this one; else Lightning starts them.

    Raises:
        ConfigError: torchrun started another number of processes than the settings say.
        BackendError: there are too few GPUs, or they lack the number format.
    """
    device = choose_device(params.device).name.partition(":")[0]
    devices, nodes = _share(params.processes)
    if device == "cuda":
        _check_gpus(devices, params.precision)
    return {
        "accelerator": "gpu" if device == "cuda" else "cpu",
        "devices": devices,
        "num_nodes": nodes,
        "strategy": _strategy(params.processes, device),
        "precision": {"float32": "32-true", "bfloat16": "bf16-mixed"}[params.precision],
    }


def _under_torchrun() -> bool:
    return dist.is_available() and dist.is_torchelastic_launched()


def _share(processes: int) -> tuple[int, int]:
    """Return how many processes a machine has, and how many machines there are."""
    if not _under_torchrun():
        return processes, 1
    world, here = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    if world != processes:
        raise ConfigError(
            f"processes is {processes}, but torchrun started {world}; set processes={world}"
        )
    return here, world // here


def _check_gpus(devices: int, precision: str) -> None:
    there = torch.cuda.device_count()
    if there < devices:
        raise BackendError(
            f"processes need {devices} GPUs, PyTorch sees {there}; set processes={there}"
        )
    if precision == "bfloat16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise BackendError("precision: this GPU does not compute in bfloat16; set it to float32")


def _strategy(processes: int, device: str) -> Any:
    if processes == 1:
        return "auto"
    from pytorch_lightning.strategies import DDPStrategy

    return DDPStrategy(
        process_group_backend="nccl" if device == "cuda" else "gloo",
        start_method="popen" if _under_torchrun() else "spawn",
        # Options of a network may leave some of its weights unused, the same in each step.
        static_graph=True,
    )
