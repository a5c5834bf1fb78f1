"""Quarter turns and mirrors. Reading them from files is tested in test_video.py."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from moseg.core.display import Turn


@pytest.mark.parametrize(("swap", "flip_x", "flip_y"), list(product([False, True], repeat=3)))
def test_turns(swap: bool, flip_x: bool, flip_y: bool) -> None:
    frame = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    turn = Turn(swap, flip_x, flip_y)
    shown = turn.apply(frame)
    assert shown.flags.c_contiguous
    assert shown.shape == (*turn.size(2, 3), 3)
    height, width = shown.shape[:2]
    for y, x in product(range(height), range(width)):
        before_mirror = (height - 1 - y if flip_y else y, width - 1 - x if flip_x else x)
        stored = before_mirror[::-1] if swap else before_mirror
        np.testing.assert_array_equal(shown[y, x], frame[stored])


def test_the_eight_turns_differ() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    shown = {Turn(*flags).apply(frame).tobytes() for flags in product([False, True], repeat=3)}
    assert len(shown) == 8
