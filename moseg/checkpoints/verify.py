"""Reading a checkpoint whole: the right digest, and every tensor fits its network."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from moseg.checkpoints.families import Kind, kind_of
from moseg.checkpoints.store import Checkpoint, Store
from moseg.checkpoints.weights import read_weights
from moseg.core.errors import BackendError


@dataclass(frozen=True)
class Verdict:
    """A checkpoint in which nothing wrong was found.

    Attributes:
        checkpoint: where it lies, and its digest.
        kind: its family.
        tensors: how many it has.
        parameters: how many numbers they hold.
    """

    checkpoint: Checkpoint
    kind: Kind
    tensors: int
    parameters: int


def verify(store: Store, name_or_path: str, trust: bool = False) -> Verdict:
    """Read a checkpoint whole and load it strictly into its network.

    Args:
        trust: take its digest for the right one (`Store.checked`).

    Raises:
        BackendError: it is missing, cannot be read, has another digest, is of another family
            than the manifest says, does not fit, or holds values that are no numbers.
    """
    found = store.checked(name_or_path, fresh=True, trust=trust)
    settings = found.entry.settings if found.entry is not None else {}
    weights = read_weights(found.path, settings)
    kind = kind_of(weights)
    if found.entry is not None and kind.family != found.entry.family:
        raise BackendError(
            f"{found.path} holds {kind.family} weights, not {found.entry.family}; delete it, "
            f"then {found.entry.advice}"
        )
    tensors = kind.build(weights).state_dict()
    for key, value in tensors.items():
        if not bool(torch.isfinite(value).all()):
            raise BackendError(f"{found.path}: {key} holds values that are no numbers")
    return Verdict(found, kind, len(tensors), sum(value.numel() for value in tensors.values()))
