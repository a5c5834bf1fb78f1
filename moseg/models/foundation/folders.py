"""`save_pretrained` folders: read from this machine alone, strictly, and written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import PreTrainedModel
from transformers.utils import logging

from moseg.core.errors import BackendError, writing_to

Network = TypeVar("Network", bound=PreTrainedModel)


def load_folder(kind: type[Network], folder: Path) -> Network:
    """Return the network that `save_pretrained` wrote, in float32 on the CPU.

    Never asks the network for anything; files that would run code are not read.

    Raises:
        BackendError: the folder holds another network, or lacks files or tensors.
    """
    _check_kind(kind, folder)
    try:
        with _silence():
            loaded: Any = kind.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except MemoryError:
        raise
    except Exception as error:  # a damaged folder can fail in any way
        first_line = str(error).partition("\n")[0]
        raise BackendError(f"{folder} cannot be loaded: {first_line}") from error
    network: Network
    network, found = loaded
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if found[problem]:
            key = min(map(_name, found[problem]))
            words = problem.replace("_", " ")
            raise BackendError(f"{folder} has {words}, such as {key}; use the right checkpoint")
    return network


def save_folder(network: PreTrainedModel, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` into `folder`, which is made if need be.

    Raises:
        OutputError: the place cannot be written.
    """
    with writing_to(folder), _silence():
        network.save_pretrained(folder)


def _check_kind(kind: type[PreTrainedModel], folder: Path) -> None:
    expected = getattr(kind.config_class, "model_type", "")
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        found = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackendError(
            f"{folder} has no readable config.json; give a folder that save_pretrained wrote"
        ) from error
    if found != expected:
        raise BackendError(f"{folder} holds a network of type {found}, not {expected}")


def _name(key: str | tuple[Any, ...]) -> str:
    """Return the key of a report's line, which may go on with shapes."""
    return key if isinstance(key, str) else str(key[0])


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the library's progress bars and warnings off the terminal: our errors say it all."""
    talk: Any = logging
    verbosity, bars = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity_error()
    talk.disable_progress_bar()
    try:
        yield
    finally:
        talk.set_verbosity(verbosity)
        if bars:
            talk.enable_progress_bar()
