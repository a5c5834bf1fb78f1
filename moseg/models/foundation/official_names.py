"""A network of `transformers` under the key names of its authors' checkpoints.

`load_strict(OfficialNames(network, table), tensors, what)` loads an official checkpoint.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from moseg.core.errors import BackendError

KeyTable = Mapping[str, tuple[str, ...]]
"""Official key -> the network's keys whose tensors it holds, one above the other on axis 0.

A key of the network that stands under several official keys holds their tensors, equal parts one
above the other in the order of the table; it then stands alone under each of them.
"""


class OfficialNames(nn.Module):
    """Shows a network's state under official names, so that errors speak of the user's file.

    Args:
        network: built on the meta device or any other.
        table: covers all keys of the network but those of `copies`.
        copies: key of the network -> the key whose values it repeats.
    """

    def __init__(
        self, network: nn.Module, table: KeyTable, copies: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.table = table
        self.copies = dict(copies or {})
        self.sharers = Counter(key for keys in table.values() for key in keys)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return official key -> tensor; tensors that the network keeps apart are joined."""
        own = self.network.state_dict(*args, **kwargs)
        parts = {
            key: iter(own[key].chunk(count) if count > 1 else (own[key],))
            for key, count in self.sharers.items()
        }
        return {
            official: _joined([next(parts[key]) for key in keys])
            for official, keys in self.table.items()
        }

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load official tensors; what they join is split, without a copy."""
        own = self.network.state_dict()
        parts: dict[str, list[torch.Tensor]] = {key: [] for key in self.sharers}
        for official, keys in self.table.items():
            whole = state_dict[official]
            lengths = [len(own[key]) for key in keys] if len(keys) > 1 else []
            for key, part in zip(keys, whole.split(lengths) if lengths else [whole], strict=True):
                parts[key].append(part)
        tensors = {key: _joined(some) for key, some in parts.items()}
        tensors |= {copy: tensors[key].clone() for copy, key in self.copies.items()}
        return self.network.load_state_dict(tensors, strict=strict, assign=assign)


def _joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def without_chunks(tensors: Mapping[str, torch.Tensor], what: str) -> dict[str, torch.Tensor]:
    """Return the tensors with `blocks.C.N.*`, as training saves them, called `blocks.N.*`.

    Raises:
        BackendError: two keys would get one name.
    """
    plain = {re.sub(r"\bblocks\.\d+\.(\d+\.)", r"blocks.\1", key): key for key in tensors}
    if len(plain) != len(tensors):
        raise BackendError(f"{what} numbers its blocks anew in each chunk; use the published file")
    return {name: tensors[key] for name, key in plain.items()}
