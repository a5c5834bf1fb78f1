"""A network of `transformers` under the key names of its authors' checkpoints.

`load_strict(OfficialNames(network, table), tensors, what)` loads an official checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from moseg.core.errors import BackendError

KeyTable = Mapping[str, tuple[str, ...]]
"""Official key -> the network's keys whose tensors it holds, one above the other on axis 0."""


class OfficialNames(nn.Module):
    """Shows a network's state under official names, so that errors speak of the user's file.

    Args:
        network: built on the meta device or any other.
        table: covers all keys of the network, each once.
    """

    def __init__(self, network: nn.Module, table: KeyTable) -> None:
        super().__init__()
        self.network = network
        self.table = table

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return official key -> tensor; tensors that the network keeps apart are joined."""
        own = self.network.state_dict(*args, **kwargs)
        return {
            official: torch.cat([own[key] for key in keys]) for official, keys in self.table.items()
        }

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load official tensors; what they join is split, without a copy."""
        own = self.network.state_dict()
        tensors: dict[str, torch.Tensor] = {}
        for official, keys in self.table.items():
            parts = state_dict[official].split([len(own[key]) for key in keys])
            tensors.update(zip(keys, parts, strict=True))
        return self.network.load_state_dict(tensors, strict=strict, assign=assign)


def without_chunks(tensors: Mapping[str, torch.Tensor], what: str) -> dict[str, torch.Tensor]:
    """Return the tensors with `blocks.C.N.*`, as training saves them, called `blocks.N.*`.

    Raises:
        BackendError: two keys would get one name.
    """
    plain = {re.sub(r"\bblocks\.\d+\.(\d+\.)", r"blocks.\1", key): key for key in tensors}
    if len(plain) != len(tensors):
        raise BackendError(f"{what} numbers its blocks anew in each chunk; use the published file")
    return {name: tensors[key] for name, key in plain.items()}
