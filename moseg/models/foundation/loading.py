"""From a checkpoint of either form to a network, ready for inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from transformers import PreTrainedModel

from moseg.core.errors import BackendError
from moseg.models.foundation.folders import load_folder
from moseg.models.foundation.official_names import without_chunks

Network = TypeVar("Network", bound=PreTrainedModel)


class Weights(Protocol):
    """What a checkpoint holds; `moseg.checkpoints.weights.Weights` is one.

    Attributes:
        path: file or folder.
        form: `official`, `folder` or `safetensors`.
        tensors: by the file's key names; empty for a folder.
    """

    @property
    def path(self) -> Path: ...
    @property
    def form(self) -> str: ...
    @property
    def tensors(self) -> Mapping[str, torch.Tensor]: ...


def load(
    kind: type[Network],
    weights: Weights,
    from_official: Callable[[Mapping[str, torch.Tensor], str], Network],
) -> Network:
    """Return the network of a checkpoint in float32 on the CPU, without gradients.

    Args:
        kind: the class that reads folders.
        from_official: makes it of official tensors and the name of the checkpoint.

    Raises:
        BackendError: the weights are of another network, or of a form that does not tell.
    """
    if weights.form == "folder":
        network = load_folder(kind, weights.path)
    elif weights.form == "official":
        what = str(weights.path)
        network = from_official(without_chunks(weights.tensors, what), what)
    else:
        raise BackendError(
            f"{weights.path} is a single {weights.form} file; "
            "give the folder that holds it and its config.json, or the official file"
        )
    network.train(False)
    network.requires_grad_(False)
    return network
