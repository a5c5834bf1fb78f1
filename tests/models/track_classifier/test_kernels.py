"""Attention kernels and the attention layer."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from moseg.core.errors import BackendError
from moseg.models.track_classifier.attention import Attention
from moseg.models.track_classifier.kernels import (
    BIAS_ALIGNMENT,
    Kernels,
    attend_sdpa,
    choose_kernels,
)
from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import Options
from tests.models.track_classifier.cases import random_classifier, random_inputs


def some(rows: int = 3, heads: int = 4, asks: int = 7, answers: int = 11) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(rows, heads, asks, 4, generator=generator)
    key, value = torch.randn(2, rows, heads, answers, 4, generator=generator)
    keep = torch.rand(rows, answers, generator=generator) < 0.5
    keep[:, 3] = True
    return query, key, value, keep


def plain(query: Tensor, key: Tensor, value: Tensor, keep: Tensor | None) -> Tensor:
    scores = query @ key.mT / query.shape[-1] ** 0.5
    if keep is not None:
        scores = scores.masked_fill(~keep[:, None, None], float("-inf"))
    return scores.softmax(dim=-1) @ value


def stand_in(query: Tensor, key: Tensor, value: Tensor, attn_bias: Tensor | None = None) -> Tensor:
    """What xformers computes, with its layout and what it asks of a bias."""
    rows, asks, heads, _ = query.shape
    assert key.shape == value.shape == (rows, key.shape[1], heads, query.shape[3])
    scores = torch.einsum("bnhd,bmhd->bhnm", query, key) / query.shape[-1] ** 0.5
    if attn_bias is not None:
        assert attn_bias.shape == scores.shape == (rows, heads, asks, key.shape[1])
        assert attn_bias.dtype == query.dtype
        assert all(stride % BIAS_ALIGNMENT == 0 for stride in attn_bias.stride()[:-1])
        assert attn_bias.stride(2) == 0, "stored for every query"
        scores = scores + attn_bias
    return torch.einsum("bhnm,bmhd->bnhd", scores.softmax(dim=-1), value)


@pytest.fixture
def xformers(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    operators = SimpleNamespace(memory_efficient_attention=stand_in)
    monkeypatch.setitem(sys.modules, "xformers", SimpleNamespace(ops=operators))
    monkeypatch.setitem(sys.modules, "xformers.ops", operators)
    return operators


@pytest.mark.parametrize("masked", [False, True])
def test_sdpa(masked: bool) -> None:
    query, key, value, keep = some()
    asked = keep if masked else None
    torch.testing.assert_close(
        attend_sdpa(query, key, value, asked), plain(query, key, value, asked)
    )


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("answers", [8, 11])
def test_xformers_layout(xformers: SimpleNamespace, masked: bool, answers: int) -> None:
    query, key, value, keep = some(answers=answers)
    asked = keep if masked else None
    attend = choose_kernels("xformers", "float32").usual
    torch.testing.assert_close(attend(query, key, value, asked), plain(query, key, value, asked))


def test_xformers_is_used_in_every_layer_with_the_same_result(xformers: SimpleNamespace) -> None:
    calls = []

    def counted(*args: Tensor, **settings: Tensor | None) -> Tensor:
        calls.append(args[0].shape)
        return stand_in(*args, **settings)

    xformers.memory_efficient_attention = counted
    network = random_classifier()
    other = TrackClassifier(Options(), choose_kernels("xformers", "bfloat16")).eval()
    other.load_state_dict(network.state_dict())
    inputs = random_inputs(tracks=20, frames=5)
    with torch.inference_mode():
        torch.testing.assert_close(other(**inputs), network(**inputs), rtol=1e-4, atol=1e-4)
    # 4 layers over frames and tracks (5 frames), 2 over the encoder's frames, 4 + 2 * 4 blocks.
    assert len(calls) == 4 + 4 * 5 + 2 + 12


def test_xformers_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xformers", None)
    with pytest.raises(
        BackendError, match=r"xformers is not installed.*pip install xformers.*sdpa"
    ):
        choose_kernels("xformers", "float32")


def test_xformers_without_a_kernel_for_the_device(xformers: SimpleNamespace) -> None:
    def refuse(*_: Tensor, **__: Tensor) -> Tensor:
        raise NotImplementedError("No operator found for `memory_efficient_attention_forward`:\n..")

    xformers.memory_efficient_attention = refuse
    attend = choose_kernels("xformers", "float32").usual
    with pytest.raises(BackendError, match=r"no kernel for torch.float32 on cpu; set attention"):
        attend(*some())


def test_bfloat16_only_among_tracks() -> None:
    exact, low = choose_kernels("sdpa", "float32"), choose_kernels("sdpa", "bfloat16")
    assert exact == Kernels()
    assert low.usual is attend_sdpa
    query, key, value, _ = some()
    found = low.tracks(query, key, value)
    assert found.dtype == torch.float32
    error = (found - attend_sdpa(query, key, value)).abs().max()
    assert 1e-4 < error < 0.03


@pytest.mark.parametrize("cross", [False, True])
def test_attention_is_pytorchs_multi_head_attention(cross: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    x, memory = torch.randn(2, 3, 6, 16, generator=generator)
    memory = memory if cross else x
    keep = torch.rand(3, 6, generator=generator) < 0.6
    keep[:, 0] = True
    reference = nn.MultiheadAttention(16, 4, batch_first=True).eval()
    nn.init.normal_(reference.in_proj_bias)
    nn.init.normal_(reference.out_proj.bias)
    ours = Attention(16, 4, attend_sdpa)
    ours.load_state_dict(reference.state_dict(), strict=True)
    expected, _ = reference(x, memory, memory, key_padding_mask=~keep)
    torch.testing.assert_close(ours(x, ours.answers(memory), keep), expected)


def test_keys_that_are_gathered_are_keys_that_are_masked() -> None:
    query, key, value, keep = some(rows=1)
    gathered = attend_sdpa(query, key[:, :, keep[0]], value[:, :, keep[0]])
    torch.testing.assert_close(gathered, attend_sdpa(query, key, value, keep))
