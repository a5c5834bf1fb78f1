"""Which network a checkpoint is of, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from moseg.core.errors import BackendError
from moseg.models.tapir.variant import load_tapir
from tests import parity
from tests.models.tapir.networks import made_up


@pytest.mark.parametrize(("levels", "extra"), [(0, False), (1, False), (1, True), (2, False)])
def test_the_variant_is_read_off_the_tensors(levels: int, extra: bool) -> None:
    network = load_tapir(made_up(levels, extra), "made up")
    assert network.pyramid_levels == levels
    assert (network.extra_convs is not None) == extra
    assert not network.training
    assert not any(p.is_meta or p.requires_grad for p in network.parameters())


@pytest.mark.parity
@pytest.mark.parametrize("name", ["keys.json", "keys_panning.json"])
def test_official_keys_fit_all_and_alone(name: str) -> None:
    keys = parity.key_list("tapir", name)
    tensors = {key: torch.zeros(about["shape"]) for key, about in keys.items()}
    state = load_tapir(tensors, name).state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == {
        key: about["shape"] for key, about in keys.items()
    }


def refusal(tensors: dict[str, Tensor]) -> str:
    with pytest.raises(BackendError) as refused:
        load_tapir(tensors, "file.pt")
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("file.pt")
    return str(refused.value)


def test_missing_and_unexpected_keys_are_named() -> None:
    tensors = dict(made_up(1))
    del tensors["torch_pips_mixer.blocks.3.layer_norm.weight"]
    tensors["head.weight"] = torch.zeros(3)
    told = refusal(tensors)
    assert "missing: torch_pips_mixer.blocks.3.layer_norm.weight" in told
    assert "unexpected: head.weight" in told


def test_extra_convs_cut_short_are_refused() -> None:
    tensors = {
        k: v for k, v in made_up(1, True).items() if not k.startswith("extra_convs.blocks.4")
    }
    assert "missing: extra_convs.blocks.4" in refusal(tensors)


def test_another_shape_is_told() -> None:
    tensors = made_up(1) | {"torch_cost_volume_track_mods.hid2.weight": torch.zeros(2, 16, 3, 3)}
    assert "hid2.weight (2, 16, 3, 3) instead of (1, 16, 3, 3)" in refusal(tensors)


def test_other_networks_are_refused() -> None:
    assert "torch_pips_mixer.linear.weight is missing" in refusal({"weight": torch.zeros(1)})
    assert "is missing" in refusal({})
    for shape in ((512, 500), (512,), (512, 10_000)):
        assert "has shape" in refusal({"torch_pips_mixer.linear.weight": torch.zeros(shape)})


def test_half_precision_weights_are_computed_in_float32() -> None:
    network = load_tapir({k: v.half() for k, v in made_up(0).items()}, "half")
    assert {p.dtype for p in network.parameters()} == {torch.float32}
