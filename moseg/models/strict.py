"""Loading weights into a network: everything fits, or an error that names what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from moseg.core.errors import BackendError

SHOWN = 3
"""How many keys of a kind an error names."""


def load_strict(module: nn.Module, tensors: Mapping[str, torch.Tensor], what: str) -> None:
    """Make `tensors` the weights of `module`; they are used as they are, not copied.

    The module may be on the meta device. Tensors of another floating-point format than the
    module's are converted to it: official files are also passed on in half precision.

    Args:
        tensors: by the module's own key names.
        what: the checkpoint, for the error.

    Raises:
        BackendError: keys are missing, unexpected, of another shape, or no floating-point
            numbers where the module has some; a few of each kind are named.
    """
    expected = module.state_dict()
    shared = [key for key in expected if key in tensors]
    problems = {
        "missing": [key for key in expected if key not in tensors],
        "unexpected": [key for key in tensors if key not in expected],
        "of another shape": [
            f"{key} {tuple(tensors[key].shape)} instead of {tuple(expected[key].shape)}"
            for key in shared
            if tensors[key].shape != expected[key].shape
        ],
        "of another type": [
            f"{key} {_type(tensors[key])} instead of {_type(expected[key])}"
            for key in shared
            if not _convertible(tensors[key].dtype, expected[key].dtype)
        ],
    }
    found = [_listed(kind, keys) for kind, keys in problems.items() if keys]
    if found:
        raise BackendError(
            f"{what} does not fit this network: {'; '.join(found)}; use the right checkpoint"
        )
    fitting = {key: tensors[key].to(expected[key].dtype) for key in expected}
    module.load_state_dict(fitting, strict=True, assign=True)


def _convertible(given: torch.dtype, wanted: torch.dtype) -> bool:
    return given == wanted or (given.is_floating_point and wanted.is_floating_point)


def _type(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _listed(kind: str, keys: Sequence[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return f"{kind}: {', '.join(keys[:SHOWN])}{more}"
