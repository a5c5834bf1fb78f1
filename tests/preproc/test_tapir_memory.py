"""How long a window of frames may be."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import ConfigError
from moseg.models.tapir.variant import load_tapir
from moseg.preproc.tracks.memory import grid_bytes, memory_bytes, window_length
from moseg.preproc.tracks.tapir import TapirParams
from tests.models.tapir.networks import made_up

Number = Literal["float32", "float16", "bfloat16"]


@pytest.mark.parametrize(("resolution", "number"), [(64, "float32"), (512, "float16")])
def test_grids_take_what_is_counted(resolution: int, number: Number) -> None:
    network = load_tapir(made_up(1), "made up")
    frames = torch.zeros(1, resolution, resolution, 3, dtype=torch.uint8)
    with torch.inference_mode():
        features = network.encode(frames, dtype=getattr(torch, number))
    held = sum(grid.nbytes for grids in features.grids.values() for grid in grids.pyramid)
    assert held == grid_bytes(resolution, number)


@given(
    memory_gb=st.floats(1.5, 80),
    batch=st.integers(1, 2000),
    resolution=st.sampled_from([64, 256, 512]),
    number=st.sampled_from(["float32", "float16"]),
)
def test_the_window_is_the_longest_that_fits(
    memory_gb: float, batch: int, resolution: int, number: Number
) -> None:
    params = TapirParams(batch=batch, resolution=resolution, grids=number)
    length = window_length(params, memory_gb)
    needed = [memory_bytes(n, batch, resolution, number) for n in (length, length + 1)]
    assert needed[0] <= memory_gb * 1e9 < needed[1]


def test_halves_make_windows_longer() -> None:
    lengths = [window_length(TapirParams(grids=n), 4) for n in ("float32", "float16")]
    assert 500 < lengths[0] < 1000
    assert lengths[1] > 1.5 * lengths[0]


def test_too_little_memory_is_told_with_what_is_needed() -> None:
    with pytest.raises(ConfigError, match=r"0\.5 is too little .* at least \d\.\d$") as refused:
        window_length(TapirParams(), 0.5)
    enough = float(str(refused.value).rsplit(" ", 1)[1])
    assert window_length(TapirParams(), enough) >= 2
