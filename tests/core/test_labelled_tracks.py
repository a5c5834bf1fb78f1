"""The points of a frame, gathered from all sets of tracks that cover it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moseg.core.errors import CacheError
from moseg.core.labelled_tracks import LabelledTracks
from moseg.core.track_sets import TrackSets
from moseg.core.types import TrackLabels, Tracks

COUNT = 3


def save_set(root: Path, query: int, start: int, length: int) -> None:
    """A set whose numbers say query, track and frame; track i is hidden in frames with i = t % 3.

    Track i of query q is at (10 q + i, t), with log-odds t + i / 10, probability i / 10 and
    confidence t / 100.
    """
    frames = np.arange(start, start + length, dtype=np.float32)
    track = np.arange(COUNT, dtype=np.float32)
    x = np.broadcast_to(10 * query + track[:, None], (COUNT, length))
    t = np.broadcast_to(frames, (COUNT, length))
    visible = (t % COUNT) != track[:, None]
    xy = np.stack([x, t], axis=-1).astype(np.float32)
    confidence = (t / 100).astype(np.float32)
    name = f"{query:05d}.npz"
    Tracks(query, start, xy, visible, confidence, confidence).save(root / "tracks" / name)
    odds = (t + track[:, None] / 10).astype(np.float32)
    chance = (track / 10).astype(np.float32)
    TrackLabels(query, start, chance, odds, chance > 0.5, 0.5).save(root / "labels" / name)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    (tmp_path / "tracks").mkdir()
    (tmp_path / "labels").mkdir()
    save_set(tmp_path, 0, 0, 5)
    save_set(tmp_path, 5, 2, 7)
    save_set(tmp_path, 10, 7, 6)
    return tmp_path


def opened(root: Path) -> LabelledTracks:
    return LabelledTracks(root / "tracks", root / "labels")


@pytest.mark.parametrize(
    ("frame", "queries"),
    [
        (0, [0]),
        (1, [0]),
        (2, [0, 5]),
        (4, [0, 5]),
        (5, [5]),
        (7, [5, 10]),
        (8, [5, 10]),
        (12, [10]),
    ],
)
def test_points_come_from_all_sets_that_cover_the_frame(
    stored: Path, frame: int, queries: list[int]
) -> None:
    points = opened(stored).points(frame)
    seen = [i for i in range(COUNT) if i != frame % COUNT]
    expected = [(10 * query + i, frame) for query in queries for i in seen]
    assert points.xy.tolist() == [list(place) for place in expected]
    assert np.allclose(points.log_odds, [frame + i / 10 for _ in queries for i in seen])
    assert np.allclose(points.probability, [i / 10 for _ in queries for i in seen])
    assert np.allclose(points.confidence, frame / 100)


@pytest.mark.parametrize("frame", [-1, 13, 99])
def test_a_frame_that_no_set_covers_has_no_points(stored: Path, frame: int) -> None:
    points = opened(stored).points(frame)
    assert points.xy.shape == (0, 2)
    assert points.log_odds.shape == points.probability.shape == points.confidence.shape == (0,)


def test_few_sets_are_held_and_each_is_read_once_in_order_of_time(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    load = TrackSets.load

    def counting(self: TrackSets, query: int) -> Tracks:
        read.append(query)
        return load(self, query)

    monkeypatch.setattr(TrackSets, "load", counting)
    points = opened(stored)
    for frame in range(13):
        points.points(frame)
        assert len(points._held) <= 2, "no more than two windows share a frame"
    assert read == [0, 5, 10]


def test_tracks_that_were_not_judged_are_left_out(stored: Path) -> None:
    path = stored / "labels" / "00000.npz"
    labels = TrackLabels.load(path)
    labels.probability[1] = np.nan
    labels.save(path)
    before = [0, 1, 2]
    before.remove(0 % COUNT)
    assert opened(stored).points(0).xy[:, 0].tolist() == [i for i in before if i != 1]


def test_labels_of_other_tracks_are_refused(stored: Path) -> None:
    (stored / "labels" / "00005.npz").unlink()
    with pytest.raises(CacheError, match="does not belong"):
        opened(stored)
