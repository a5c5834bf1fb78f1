"""Lives of objects over windows."""

from __future__ import annotations

import numpy as np

from moseg.sam2.life import Life, holds_track
from moseg.sam2.tracks import TrackWindow


def test_consecutive_windows_share_a_life():
    life = Life()
    life.add(range(0, 11), [3, 5, 7])
    life.add(range(10, 21), [14, 16])
    assert [frame for frame in range(31) if frame in life] == list(range(3, 17))


def test_a_stop_belongs_to_a_life_that_goes_on_and_to_no_other():
    life = Life()
    life.add(range(0, 11), [])
    life.add(range(10, 21), [13, 17])
    life.add(range(20, 31), [])
    assert [frame for frame in range(60) if frame in life] == list(range(13, 18))
    assert [frame for frame in range(60) if life.reaches(frame)] == list(range(10, 21))
    life.add(range(30, 41), [])
    life.add(range(40, 51), [42])
    life.add(range(50, 61), [])
    assert [frame for frame in range(60) if frame in life] == list(range(13, 43))
    assert [frame for frame in range(60) if life.reaches(frame)] == list(range(10, 51))


def test_without_tracks_there_is_no_life():
    life = Life()
    life.add(range(0, 11), [])
    assert not life.span
    assert not any(frame in life or life.reaches(frame) for frame in range(11))


def test_only_visible_tracks_within_the_mask_support_it():
    xy = np.array([[[2, 1], [6, 3]], [[7, 4], [2, 1]]], np.float32)
    visible = np.array([[True, True], [True, False]])
    tracks = TrackWindow(5, xy, visible)
    mask = np.zeros((6, 9), bool)
    mask[1, 2] = True
    assert holds_track(mask, tracks, 5)
    assert not holds_track(mask, tracks, 6)
