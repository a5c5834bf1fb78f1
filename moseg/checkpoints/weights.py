"""Reading checkpoint files: official `.pt`/`.pth`, `.safetensors`, `save_pretrained` folders."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from moseg.checkpoints.forms import Form, form_of, is_legacy
from moseg.core.errors import BackendError

WRAPPERS = ("model", "model_state_dict", "state_dict")
"""Keys under which training code puts the tensors, beside the epoch and the like."""
_SHOWN = 3
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
"""How PyTorch names the Python object that a pickle asks for and must not have."""


@dataclass(frozen=True)
class Weights:
    """What a checkpoint holds.

    Attributes:
        path: file, or folder.
        form: `official` for `.pt`/`.pth`, `safetensors` for a converted file, `folder` for what
            `save_pretrained` wrote, which `from_pretrained` has to load.
        tensors: by the file's key names; empty for a folder.
        metadata: what the tensors do not tell: texts stored with a safetensors file, or the
            manifest's settings of an official one.
    """

    path: Path
    form: Form
    tensors: Mapping[str, torch.Tensor]
    metadata: Mapping[str, str]


def read_weights(path: Path, settings: Mapping[str, str] | None = None) -> Weights:
    """Return what a checkpoint holds. Never runs code from it.

    Tensors of a file stay on disk until they are used, where the file's format allows it.

    Args:
        settings: the metadata of an official file, which has none of its own.

    Raises:
        BackendError: the file is missing, cut off, damaged, empty, no checkpoint, or holds
            anything but named tensors, alone or under one of `WRAPPERS`.
    """
    form = form_of(path)
    if form == "folder":
        return Weights(path, form, {}, {})
    if form == "safetensors":
        return Weights(path, form, *_read_safetensors(path))
    tensors = _named_tensors(_unwrap(_unpickle(path), path), path)
    return Weights(path, form, tensors, dict(settings or {}))


def _unpickle(path: Path) -> Any:
    mapped = not is_legacy(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd files; our errors say it all
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise BackendError(f"{path} {_explain(error)}") from error


def _explain(error: Exception) -> str:
    told = str(error)
    if "TorchScript" in told:
        return "is a TorchScript program, which would run code, and is refused; use the weights"
    if isinstance(error, pickle.UnpicklingError):
        asked = _GLOBAL.search(told)
        what = f" ({asked[1]})" if asked else ""
        return (
            f"holds Python objects besides tensors{what}; it could run code when read and is "
            "refused: use the file its authors published"
        )
    return "is damaged or cut off; get it again"


def _unwrap(data: Any, path: Path) -> Mapping[Any, Any]:
    """Return the mapping of tensors inside what training code saved."""
    if not isinstance(data, Mapping):
        raise BackendError(f"{path} holds a {type(data).__name__}, not tensors by name")
    inner = [key for key in WRAPPERS if isinstance(data.get(key), Mapping)]
    if len(inner) > 1:
        raise BackendError(f"{path} holds more than one network: {', '.join(inner)}; keep one")
    return _unwrap(data[inner[0]], path) if inner else data


def _named_tensors(data: Mapping[Any, Any], path: Path) -> dict[str, torch.Tensor]:
    if not data:
        raise BackendError(f"{path} holds no tensors; get it again")
    others = [
        f"{key} ({type(value).__name__})"
        for key, value in data.items()
        if not isinstance(key, str) or not isinstance(value, torch.Tensor) or not _is_plain(value)
    ]
    if others:
        shown = ", ".join(others[:_SHOWN])
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        raise BackendError(
            f"{path} holds entries that are no tensors by name: {shown}{more}; "
            "use the file its authors published"
        )
    return {key: value.detach() for key, value in data.items()}


def _is_plain(value: torch.Tensor) -> bool:
    return value.layout == torch.strided and not value.is_quantized


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise BackendError(f"{path} is damaged or cut off; get it again") from error
    if not tensors:
        raise BackendError(f"{path} holds no tensors; get it again")
    return tensors, metadata
