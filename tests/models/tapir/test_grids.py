"""The window of grids that moves through a video."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moseg.models.tapir.grids import Grids, GridWindow, VideoFeatures

SIZES = ((16, 16), (16, 16), (32, 32))


def numbered(first: int, count: int) -> VideoFeatures:
    """Features of frames whose every number is the frame's own."""

    def grids(side: int) -> Grids:
        values = torch.arange(first, first + count, dtype=torch.float32)[:, None, None, None]
        shapes = ((side // 4, 128), (side // 8, 256), (side // 16, 256))
        return Grids(tuple(values.expand(-1, n, n, c).clone() for n, c in shapes))

    return VideoFeatures((32, 32), SIZES, {(n, n): grids(n) for n in (16, 32)})


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=6))
def test_the_window_holds_the_last_frames(moves: list[tuple[int, int]]) -> None:
    window, held = GridWindow(12), list[float]()
    next_frame = 0
    for dropped, added in moves:
        dropped = min(dropped, len(held))
        window.drop(dropped)
        del held[:dropped]
        added = min(added, 12 - len(held))
        if added:
            window.append(numbered(next_frame, added))
            held += range(next_frame, next_frame + added)
            next_frame += added
    if next_frame:
        assert len(window.features) == len(held)
        for grids in window.features.levels:
            for grid in grids.pyramid:
                assert (grid == torch.tensor(held)[:, None, None, None]).all()


def test_memory_is_taken_once() -> None:
    window = GridWindow(4)
    window.append(numbered(0, 4))
    place = window.features.initial.lowres.data_ptr()
    window.drop(3)
    window.append(numbered(4, 3))
    assert window.features.initial.lowres.data_ptr() == place


def test_more_frames_than_room_are_refused() -> None:
    window = GridWindow(3)
    window.append(numbered(0, 2))
    with pytest.raises(ValueError, match="more than 3"):
        window.append(numbered(2, 2))


def test_pooling_drops_an_odd_last_row() -> None:
    lowres = torch.randn(1, 5, 4, 256, generator=torch.Generator().manual_seed(0))
    hires = torch.zeros(1, 10, 8, 128)
    pooled = Grids.of(hires, lowres, 1, torch.float32).pyramid[2]
    assert pooled.shape == (1, 2, 2, 256)
    assert torch.allclose(pooled[0, 1, 1], lowres[0, 2:4, 2:4].mean((0, 1)), atol=1e-6)
