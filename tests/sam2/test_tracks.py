"""Windows of tracks."""

from __future__ import annotations

import numpy as np
import pytest

from moseg.sam2.tracks import TrackWindow


def test_frames_are_those_of_the_scene():
    xy = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    visible = np.zeros((3, 4), bool)
    visible[[0, 2], 1] = True
    window = TrackWindow(10, xy, visible)
    assert (len(window), window.start, window.stop) == (3, 10, 14)
    assert window.points(11).tolist() == [[2, 3], [18, 19]]
    assert window.points(12).shape == (0, 2)
    part = window.part(np.array([2]))
    assert part.start == 10
    assert part.points(11).tolist() == [[18, 19]]


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"not \[3, 4, 2\] and \[3, 5\]"):
        TrackWindow(0, np.zeros((3, 4, 2), np.float32), np.zeros((3, 5), bool))
