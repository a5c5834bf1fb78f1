"""Which TAPIR a checkpoint is of, and the network with its weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from moseg.core.errors import BackendError
from moseg.models.strict import load_strict
from moseg.models.tapir.model import Tapir
from moseg.models.tapir.refine import token_width
from moseg.models.tapir.schedule import Resolution

_MIXER_INPUT = "torch_pips_mixer.linear.weight"
_MAX_PYRAMID_LEVELS = 4


def load_tapir(
    tensors: Mapping[str, Tensor],
    what: str,
    causal: bool = False,
    temperature: float = 20.0,
    initial_resolution: Resolution = (256, 256),
) -> Tapir:
    """Build the network that a checkpoint's tensors are of, in evaluation mode, on their device.

    Pyramid levels and extra convolutions are read off the tensors. Online weights have the same
    tensors as the others, so `causal` has to be told.

    Args:
        tensors: by official key name; converted to float32.
        what: the checkpoint, for errors.
        causal, temperature, initial_resolution: see `Tapir`.

    Raises:
        BackendError: these are not the weights of a TAPIR; some of the keys are named.
    """
    extra_convs = any(key.startswith("extra_convs.") for key in tensors)
    with torch.device("meta"):
        network = Tapir(
            _pyramid_levels(tensors, what), extra_convs, causal, temperature, initial_resolution
        )
    load_strict(network, {key: value.float() for key, value in tensors.items()}, what)
    for parameter in network.parameters():
        if parameter.ndim == 4:  # convolutions work on channels-last memory
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    network.eval().requires_grad_(False)
    return network


def _pyramid_levels(tensors: Mapping[str, Tensor], what: str) -> int:
    weight = tensors.get(_MIXER_INPUT)
    if weight is None:
        raise BackendError(
            f"{what} is not a TAPIR checkpoint: {_MIXER_INPUT} is missing; use the right checkpoint"
        )
    widths = {token_width(levels): levels for levels in range(_MAX_PYRAMID_LEVELS + 1)}
    if weight.ndim != 2 or weight.shape[1] not in widths:
        raise BackendError(
            f"{what} is not a TAPIR checkpoint: {_MIXER_INPUT} has shape {tuple(weight.shape)}; "
            "use the right checkpoint"
        )
    return widths[weight.shape[1]]
