"""Strict loading: everything fits, or the error names what does not."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from moseg.core.errors import BackendError
from moseg.models.strict import load_strict


def network():
    """Two layers and a counter, on the meta device."""
    with torch.device("meta"):
        return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))


def weights(changes=None):
    """What fits `network`, with changes; None takes a key away."""
    tensors = {
        "0.weight": torch.arange(12.0).reshape(3, 4),
        "0.bias": torch.ones(3),
        "1.weight": torch.ones(3),
        "1.bias": torch.zeros(3),
        "1.running_mean": torch.zeros(3),
        "1.running_var": torch.ones(3),
        "1.num_batches_tracked": torch.tensor(7),
    }
    tensors.update(changes or {})
    return {key: value for key, value in tensors.items() if value is not None}


def refusal(tensors):
    module = network()
    with pytest.raises(BackendError) as caught:
        load_strict(module, tensors, "some.pt")
    assert "\n" not in str(caught.value)
    assert all(value.is_meta for value in module.state_dict().values()), "nothing was loaded"
    return str(caught.value)


def test_what_fits_is_used_without_a_copy():
    module, tensors = network(), weights()
    load_strict(module, tensors, "some.pt")
    assert module[0].weight.data_ptr() == tensors["0.weight"].data_ptr()
    assert isinstance(module[0].weight, nn.Parameter)
    assert int(module[1].num_batches_tracked) == 7
    expected = torch.arange(12.0).reshape(3, 4).sum(1) + 1
    torch.testing.assert_close(module[0](torch.ones(1, 4))[0], expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_point_formats_are_converted(dtype):
    module = network()
    load_strict(module, {k: v.to(dtype) if v.ndim else v for k, v in weights().items()}, "some.pt")
    assert module[0].weight.dtype == torch.float32
    torch.testing.assert_close(module[0].weight.data, weights()["0.weight"])


def test_keys_are_named_each_with_what_is_wrong():
    changes = {"extra": torch.ones(1), "0.bias": None, "0.weight": torch.ones(4, 3)}
    line = refusal(weights(changes))
    assert line.startswith("some.pt does not fit this network: missing: 0.bias; ")
    assert "unexpected: extra; " in line
    assert "of another shape: 0.weight (4, 3) instead of (3, 4); use the right" in line


def test_one_wrong_key_is_enough():
    assert "missing: 1.bias;" in refusal(weights({"1.bias": None}))
    assert "unexpected: 1.other;" in refusal(weights({"1.other": torch.ones(1)}))


def test_integers_are_no_weights():
    line = refusal(weights({"0.bias": torch.ones(3, dtype=torch.int64)}))
    assert "of another type: 0.bias int64 instead of float32" in line
    line = refusal(weights({"1.num_batches_tracked": torch.tensor(7.0)}))
    assert "of another type: 1.num_batches_tracked float32 instead of int64" in line


def test_many_keys_are_counted():
    line = refusal({f"other.{i}": torch.ones(1) for i in range(10)})
    assert "unexpected: other.0, other.1, other.2 and 7 more" in line
    assert re.search(r"missing: 0\.weight, 0\.bias, 1\.weight and 4 more", line)
