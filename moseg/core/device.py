"""The one choice of device and precision.

Backends that use a GPU declare it (`Backend.uses_gpu`); only for them is PyTorch imported.
The built-in backends run on the CPU whatever is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from dataclasses import dataclass
from typing import Literal

from moseg.core.errors import BackendError, ConfigError

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class Device:
    """A device by PyTorch's name (`cpu`, `cuda:0`) and the number format to compute in."""

    name: str = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"


CPU = Device()


def check_device_name(request: str) -> str:
    """Return `request` if it is `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        ConfigError: any other text.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", request):
        raise ConfigError(f"device '{request}' is unknown: use auto, cpu, cuda or cuda:N")
    return request


def choose_device(request: str = "auto", precision: Precision = "auto") -> Device:
    """Return the device to compute on; `auto` takes the first GPU PyTorch sees, else the CPU.

    Raises:
        BackendError: a GPU is asked for by name and is not there.
        ConfigError: the name is not a device.
    """
    check_device_name(request)
    if request == "cpu":
        return Device("cpu", "bfloat16" if precision == "bfloat16" else "float32")
    gpus = _gpu_count()
    if request == "auto":
        name = "cuda:0" if gpus else "cpu"
    else:
        index = int(request.partition(":")[2] or 0)
        if index >= gpus:
            raise BackendError(
                f"device {request} was asked for, but PyTorch sees {gpus} GPUs here; "
                "set device to cpu, or to another number"
            )
        name = f"cuda:{index}"
    return gpu_device(precision, name) if name != "cpu" else choose_device("cpu", precision)


def gpu_device(precision: Precision = "auto", name: str = "cuda:0") -> Device:
    """Return a GPU by name, whether or not this machine has it; `auto` is bfloat16 there."""
    return Device(name, "float32" if precision == "float32" else "bfloat16")


def _gpu_count() -> int:
    """Return the number of GPUs PyTorch can use; 0 where PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None:
        return 0
    return int(importlib.import_module("torch").cuda.device_count())
