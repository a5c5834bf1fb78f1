"""Which moving tracks are written, and where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.core.types import TrackLabels, Tracks
from moseg.render.exports import dynamic_tracks
from moseg.render.exports.dynamic_tracks import DRAWN_TRACKS, MOST_TRACKS, _choose, _drawn, _fill


def labels(query: int, dynamic: NDArray[np.bool_]) -> TrackLabels:
    chance = dynamic.astype(np.float32)
    return TrackLabels(query, 0, chance, chance[:, None], dynamic, 0.5)


def save_labels(folder: Path, moving: dict[int, NDArray[np.bool_]]) -> None:
    for query, dynamic in moving.items():
        labels(query, dynamic).save(folder / f"{query:05d}.npz")


def choose(folder: Path) -> dict[int, NDArray[np.intp]]:
    return _choose({int(path.stem): path for path in sorted(folder.iterdir())})


def test_all_moving_tracks_are_written_where_they_are_few(tmp_path: Path) -> None:
    first, second = np.array([False, True, True]), np.array([True, False, False, True])
    save_labels(tmp_path, {0: first, 5: second, 9: np.zeros(3, bool)})
    chosen = choose(tmp_path)
    assert {query: rows.tolist() for query, rows in chosen.items()} == {0: [1, 2], 5: [0, 3], 9: []}


@pytest.mark.parametrize("most", [1, 7, 49, 50, 51])
def test_at_most_so_many_are_written_evenly_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(dynamic_tracks, "MOST_TRACKS", most)
    rng = np.random.default_rng(0)
    moving = {query: rng.permutation(np.arange(40) < count) for query, count in _COUNTS.items()}
    save_labels(tmp_path, moving)
    chosen = choose(tmp_path)
    assert list(chosen) == list(_COUNTS)
    assert sum(len(rows) for rows in chosen.values()) == min(most, 50)
    for query, rows in chosen.items():
        assert moving[query][rows].all()
        assert (np.diff(rows) > 0).all()
        assert len(rows) == pytest.approx(_COUNTS[query] * min(most, 50) / 50, abs=1)


_COUNTS = {0: 10, 5: 30, 10: 0, 12: 10}


def test_the_limit_of_the_layout(tmp_path: Path) -> None:
    save_labels(tmp_path, {0: np.ones(4000, bool), 5: np.ones(6000, bool)})
    chosen = choose(tmp_path)
    assert {query: len(rows) for query, rows in chosen.items()} == {
        0: 0.4 * MOST_TRACKS,
        5: 0.6 * MOST_TRACKS,
    }
    assert (np.diff(chosen[5]) == 2).all()


def window(count: int, start: int, length: int) -> Tracks:
    """Track i is at (i, frame), with confidence i / count; odd tracks are not visible."""
    i, t = np.meshgrid(np.arange(count), start + np.arange(length), indexing="ij")
    confidence = (i / count).astype(np.float32)
    xy = np.stack([i, t], axis=-1).astype(np.float32)
    return Tracks(start, start, xy, i % 2 == 0, confidence, confidence)


def test_outside_its_window_a_track_waits_unseen() -> None:
    traj = np.zeros((2, 2, 8), np.float32)
    visible, confidence = np.zeros((2, 8), bool), np.zeros((2, 8), np.float32)
    _fill(window(4, 2, 3), np.array([3, 2]), traj, visible, confidence)
    assert traj[0].tolist() == [[3] * 8, [2] * 8]
    assert traj[1].tolist() == [[2, 2, 2, 3, 4, 4, 4, 4]] * 2
    assert visible.tolist() == [[False] * 8, [2 <= t <= 4 for t in range(8)]]
    assert confidence.tolist() == [
        [0.75 * (2 <= t <= 4) for t in range(8)],
        [0.5 * (2 <= t <= 4) for t in range(8)],
    ]


@pytest.mark.parametrize("count", [1, 3, DRAWN_TRACKS, 10 * DRAWN_TRACKS + 1])
def test_drawn_tracks_are_few_and_keep_their_labels(count: int) -> None:
    dynamic = np.arange(count) // 2 % 2 == 0
    start, (places, seen), height, moving = _drawn(window(count, 6, 4), labels(6, dynamic))
    assert start == 6
    assert len(places) == len(seen) == len(height) == min(count, DRAWN_TRACKS)
    assert (height == 6).all()
    assert (np.isnan(places).any(axis=-1) == ~seen).all()
    shown = places[:, 0, 0][seen[:, 0]].astype(int)
    assert (moving[seen[:, 0]] == dynamic[shown]).all()
    assert shown.max(initial=0) >= count - 1 - 2 * count / DRAWN_TRACKS
