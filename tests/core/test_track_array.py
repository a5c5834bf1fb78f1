"""Tracks of a scene in one array, by window and by query frame."""

from __future__ import annotations

import numpy as np
import pytest

from moseg.core.arrays import save_array
from moseg.core.errors import CacheError
from moseg.core.query_points import QueryPoints
from moseg.core.track_array import TrackArray, TrackArrayWriter, parse_logits
from moseg.core.track_sets import TrackSets
from moseg.core.types import Tracks


def points() -> QueryPoints:
    """Return five points of three query frames in two windows of four frames."""
    return QueryPoints(
        starts=np.array([0, 3]),
        length=4,
        window=np.array([0, 0, 0, 1, 1]),
        frame=np.array([0, 0, 2, 5, 5]),
        xy=np.arange(10, dtype=np.float32).reshape(5, 2),
        drawn=True,
    )


@pytest.fixture
def folder(tmp_path):
    block = np.random.default_rng(0).normal(size=(5, 4, 4)).astype(np.float32)
    with TrackArrayWriter(tmp_path, points()) as writer:
        writer.append(block[:2])
        writer.append(block[2:])
    return tmp_path, block


def test_windows_and_blocks(folder):
    path, block = folder
    with TrackArray(path) as array:
        assert np.array_equal(array.window(0), block[:3])
        assert np.array_equal(array.window(1), block[3:])
        assert np.array_equal(array.block(slice(1, 4)), block[1:4])


def test_sets_by_query_frame(folder):
    path, block = folder
    with TrackSets(path) as sets:
        assert sets.query_frames == [0, 2, 5]
        assert [sets.window(q) for q in (0, 2, 5)] == [(0, 4), (0, 4), (3, 4)]
        tracks = sets.load(5)
    assert (tracks.query_frame, tracks.start) == (5, 3)
    assert np.array_equal(tracks.xy, block[3:, :, :2])
    visible, visibility, confidence = parse_logits(block[3:, :, 2], block[3:, :, 3])
    assert np.array_equal(tracks.visible, visible)
    assert np.array_equal(tracks.visibility, visibility)
    assert np.array_equal(tracks.confidence, confidence)


def test_sets_of_files(tmp_path):
    ones = np.ones((2, 3), np.float32)
    tracks = Tracks(4, 3, np.zeros((2, 3, 2), np.float32), ones > 0, ones, ones)
    tracks.save(tmp_path / "00004.npz")
    with TrackSets(tmp_path) as sets:
        assert sets.query_frames == [4]
        assert sets.window(4) == (3, 3)
        assert sets.load(4).visible.all()


def test_extreme_logits_give_numbers_and_no_warning():
    far = np.array([-1e4, 1e4, 0], np.float32)
    visible, visibility, confidence = parse_logits(far, np.full(3, -50, np.float32))
    assert visible.tolist() == [True, False, False]
    assert visibility.tolist() == [1, 0, 0.5]
    assert confidence.tolist() == [1, 1, 0]


def test_an_array_of_other_points_is_refused(folder):
    path, block = folder
    save_array(path / "tracks.npy", block[:4])
    with pytest.raises(CacheError, match="does not belong"):
        TrackArray(path)


def test_a_cut_array_is_refused(folder):
    path, _ = folder
    data = (path / "tracks.npy").read_bytes()
    (path / "tracks.npy").write_bytes(data[:-8])
    with pytest.raises(CacheError, match="cut short"):
        TrackArray(path)
