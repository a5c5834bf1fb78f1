"""Fused attention kernels, which never hold all scores at once: PyTorch's, or xformers'."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor
from torch.nn import functional as F

from moseg.core.errors import BackendError

KernelName = Literal["sdpa", "xformers"]
BIAS_ALIGNMENT = 8
"""xformers wants the rows of a bias to start at multiples of so many elements."""


class Attend(Protocol):
    """softmax(query key^T / sqrt(d)) value, over the keys that are kept."""

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, keep: Tensor | None = None
    ) -> Tensor:
        """Return [B, heads, N, d].

        Args:
            query: [B, heads, N, d].
            key, value: [B, heads, M, d].
            keep: bool [B, M], True for keys that take part, at least one in each row.
        """
        ...


def attend_sdpa(query: Tensor, key: Tensor, value: Tensor, keep: Tensor | None = None) -> Tensor:
    """PyTorch's fused attention; see `Attend`."""
    # A mask that is broadcast over queries stays small: the kernel reads it by strides.
    mask = None if keep is None else keep[:, None, None]
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def attend_sdpa_bfloat16(
    query: Tensor, key: Tensor, value: Tensor, keep: Tensor | None = None
) -> Tensor:
    """As `attend_sdpa`, computed in bfloat16; inputs and result keep their number format."""
    low = attend_sdpa(query.bfloat16(), key.bfloat16(), value.bfloat16(), keep)
    return low.to(query.dtype)


def xformers_attend(operator: Callable[..., Tensor]) -> Attend:
    """Return `Attend` by xformers' `memory_efficient_attention`, whose layout is [B, N, heads, d].

    The returned function raises `BackendError` where xformers has no kernel for the device.
    """

    def attend(query: Tensor, key: Tensor, value: Tensor, keep: Tensor | None = None) -> Tensor:
        bias = None if keep is None else _bias(keep, query)
        inputs = [tensor.transpose(1, 2) for tensor in (query, key, value)]
        try:
            return operator(*inputs, attn_bias=bias).transpose(1, 2)
        except NotImplementedError as error:
            raise BackendError(
                f"attention: xformers has no kernel for {query.dtype} on {query.device.type}; "
                "set attention: sdpa"
            ) from error

    return attend


def _bias(keep: Tensor, query: Tensor) -> Tensor:
    """Return 0 for kept keys and -inf for others, [B, heads, N, M], without storing it N times."""
    rows, keys = keep.shape
    padded = -(-keys // BIAS_ALIGNMENT) * BIAS_ALIGNMENT
    bias = query.new_zeros(rows, 1, 1, padded)
    bias[..., :keys].masked_fill_(~keep[:, None, None], float("-inf"))
    return bias[..., :keys].expand(rows, query.shape[1], query.shape[2], keys)


@dataclass(frozen=True)
class Kernels:
    """Which kernels a network computes with.

    Attributes:
        usual: everywhere but where another is named.
        tracks: attention over the tracks of a frame in the motion encoder. It takes nearly all
            of the time, and is the one place where bfloat16 hardly changes the result.
    """

    usual: Attend = attend_sdpa
    tracks: Attend = attend_sdpa


def choose_kernels(name: KernelName, precision: Literal["float32", "bfloat16"]) -> Kernels:
    """Return the kernels; xformers', which want 8 channels a head in bfloat16, keep float32.

    Raises:
        BackendError: xformers is asked for and not installed.
    """
    if name == "xformers":
        attend = xformers_attend(_find_xformers())
        return Kernels(attend, attend)
    return Kernels(tracks=attend_sdpa_bfloat16 if precision == "bfloat16" else attend_sdpa)


def _find_xformers() -> Callable[..., Tensor]:
    try:
        found: Callable[..., Tensor] = importlib.import_module(
            "xformers.ops"
        ).memory_efficient_attention
    except ImportError as error:
        raise BackendError(
            "attention: xformers is not installed; install it (pip install xformers), "
            "or set attention: sdpa"
        ) from error
    return found
