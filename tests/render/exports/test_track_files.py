"""Track rows as a reader of the reference layout takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from moseg.core.types import Tracks
from moseg.render.exports.track_files import rows, write_set

Float64 = NDArray[np.float64]


def read(table: Float64) -> tuple[Float64, Float64, NDArray[np.bool_]]:
    """Visibility, confidence and whether visible, by the rule of the reference layout."""
    visibility = 1 - 1 / (1 + np.exp(-table[:, 2]))
    confidence = 1 - 1 / (1 + np.exp(-table[:, 3]))
    return visibility, confidence, visibility * confidence > 0.5


def tracks(visibility: list[float], confidence: list[float], visible: list[bool]) -> Tracks:
    """Tracks over the frames 4, 5, 6; track i is at (i, frame)."""
    count = len(visible)
    x, t = np.meshgrid(np.arange(count), (4, 5, 6), indexing="ij")

    def over_time(values: list[float]) -> NDArray[np.float32]:
        return np.repeat(np.array(values, np.float32)[:, None], 3, axis=1)

    return Tracks(
        query_frame=5,
        start=4,
        xy=np.stack([x, t], axis=-1).astype(np.float32),
        visible=np.repeat(np.array(visible)[:, None], 3, axis=1),
        visibility=over_time(visibility),
        confidence=over_time(confidence),
    )


unit = st.floats(0, 1, width=32)


@settings(max_examples=60, deadline=None)
@given(unit, unit, st.booleans(), st.booleans())
@example(1.0, 1.0, True, True)
@example(1.0, 1.0, True, False)
@example(0.0, 0.0, True, True)
@example(0.0, 1.0, True, True)
@example(1.0, 0.0, True, True)
def test_a_reader_sees_what_is_visible(
    visibility: float, confidence: float, visible: bool, inside: bool
) -> None:
    table = rows(tracks([visibility], [confidence], [visible]), 1, inside)
    assert table.shape == (1, 4)
    assert table.dtype == np.float64
    assert np.isfinite(table).all()
    assert read(table)[2].tolist() == [visible and inside]


def test_high_values_are_kept() -> None:
    table = rows(tracks([0.9, 0.8, 1.0], [0.95, 1.0, 0.76], [True] * 3), 0, True)
    visibility, confidence, _ = read(table)
    assert np.allclose(visibility, [0.9, 0.8, 1.0], atol=2e-4)
    assert np.allclose(confidence, [0.95, 1.0, 0.76], atol=2e-4)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_positions_are_those_of_the_column(at: int) -> None:
    table = rows(tracks([1, 1], [1, 1], [True, False]), at, True)
    assert table[:, :2].tolist() == [[0, 4 + at], [1, 4 + at]]


def test_a_file_for_every_frame_with_the_window_at_its_place(tmp_path: Path) -> None:
    names = tuple(f"n{t}" for t in range(9))
    write_set(tracks([1, 1], [1, 1], [True, True]), names, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"n5_n{t}.npy" for t in range(9)]
    for target in range(9):
        table = np.load(tmp_path / f"n5_n{target}.npy")
        assert (table[:, 1] == min(max(target, 4), 6)).all()
        assert (read(table)[2] == (4 <= target <= 6)).all()
