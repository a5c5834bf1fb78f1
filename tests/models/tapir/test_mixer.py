"""The mixer against a plain one of PyTorch's layers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from moseg.models.tapir.mixer import Mixer
from tests.models.tapir.networks import made_up

_PREFIX = "torch_pips_mixer."


def plain(weights: dict[str, Tensor], tokens: Tensor, causal: bool) -> Tensor:
    """Mix tokens [N, T, inputs] as the layers are described, with depthwise convolutions."""
    padding = (2, 0) if causal else (1, 1)

    def conv(x: Tensor, name: str, groups: int) -> Tensor:
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return F.conv1d(F.pad(x, padding), kernel, bias, groups=groups)

    def dense(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (512,), weights[f"{name}.weight"], None, 1e-5)

    x = dense(tokens, "linear")
    for block in (f"blocks.{i}" for i in range(12)):
        y = conv(norm(x, f"{block}.layer_norm").transpose(1, 2), f"{block}.mlp1_up", 512)
        y = conv(F.gelu(y, approximate="tanh"), f"{block}.mlp1_up_1", 2048)
        x = x + y.view(len(y), 512, 4, -1).sum(2).transpose(1, 2)
        channels = f"{block}.conv_channels_mixer"
        y = dense(norm(x, f"{block}.layer_norm_1"), f"{channels}.mlp2_up")
        x = x + dense(F.gelu(y, approximate="tanh"), f"{channels}.mlp2_down")
    return dense(norm(x, "layer_norm"), "linear_1")


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    found = made_up(pyramid_levels=1)
    return {k.removeprefix(_PREFIX): v for k, v in found.items() if k.startswith(_PREFIX)}


def mixer(weights: dict[str, Tensor], causal: bool) -> Mixer:
    with torch.device("meta"):
        network = Mixer(535, 388, causal)
    network.load_state_dict(weights, assign=True)
    return network


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 3, 8])
def test_the_mixer_is_the_plain_one(weights: dict[str, Tensor], frames: int, causal: bool) -> None:
    tokens = torch.randn(frames, 3, 535, generator=torch.Generator().manual_seed(frames))
    expected = plain(weights, tokens.transpose(0, 1), causal).transpose(0, 1)
    for budget in (1, 2 * frames, 100):
        found = mixer(weights, causal)(tokens, budget)
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_bfloat16_keeps_sums_and_outputs_in_float32(weights: dict[str, Tensor]) -> None:
    tokens = torch.randn(6, 4, 535, generator=torch.Generator().manual_seed(0))
    network = mixer(weights, causal=False)
    exact = network(tokens, 100)
    network.compute_in(torch.bfloat16)
    coarse = network(tokens, 100)
    assert coarse.dtype == torch.float32
    low = {name for name, value in network.named_parameters() if value.dtype == torch.bfloat16}
    assert {name.partition(".")[0] for name in low} == {"linear", "blocks"}
    assert all(".conv_channels_mixer." in name for name in low if name.startswith("blocks"))
    error = (coarse - exact).norm() / exact.norm()
    assert 1e-4 < error < 2e-2
