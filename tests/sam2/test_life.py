"""Lives of objects over windows."""

from __future__ import annotations

import numpy as np

from moseg.sam2.life import Life, holds_track
from moseg.sam2.tracks import TrackWindow


def test_consecutive_windows_share_a_life():
    life = Life()
    life.add(range(0, 11), 3, 7)
    life.add(range(10, 21), 14, 16)
    assert [frame for frame in range(31) if frame in life] == list(range(3, 17))


def test_a_window_without_tracks_parts_lives():
    life = Life()
    life.add(range(0, 11), 3, 7)
    life.add(range(20, 31), 22, 22)
    assert [frame for frame in range(31) if frame in life] == [3, 4, 5, 6, 7, 22]
    assert [frame for frame in range(31) if life.reaches(frame)] == [*range(11), *range(20, 31)]


def test_only_visible_tracks_within_the_mask_support_it():
    xy = np.array([[[2, 1], [6, 3]], [[7, 4], [2, 1]]], np.float32)
    visible = np.array([[True, True], [True, False]])
    tracks = TrackWindow(5, xy, visible)
    mask = np.zeros((6, 9), bool)
    mask[1, 2] = True
    assert holds_track(mask, tracks, 5)
    assert not holds_track(mask, tracks, 6)
