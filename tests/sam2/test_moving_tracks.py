"""Moving tracks of a window, out of sets that cover other frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moseg.core.errors import CacheError
from moseg.core.query_points import QueryPoints
from moseg.core.track_array import TrackArrayWriter
from moseg.core.working_clip import Scale
from moseg.sam2.moving_tracks import MovingTracks
from tests.sam2.labelled import save_labelled


def numbered(query: int, start: int, length: int, count: int) -> np.ndarray:
    """Track i of query q is at (100 q + i, t)."""
    xy = np.zeros((count, length, 2), np.float32)
    xy[..., 0] = 100 * query + np.arange(count)[:, None]
    xy[..., 1] = np.arange(start, start + length)
    return xy


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    moving = np.array([True, False, True])
    save_labelled(tmp_path, numbered(0, 0, 5, 3), moving, 0, 0)
    save_labelled(tmp_path, numbered(6, 3, 6, 3), moving, 6, 3)
    save_labelled(tmp_path, numbered(20, 15, 9, 3), moving, 20, 15)
    return tmp_path


def opened(root: Path, **changes: object) -> MovingTracks:
    settings = {"confidence": 0.5, "limit": 100, "scale": None} | changes
    return MovingTracks(root / "tracks", root / "labels", **settings)


def test_a_window_holds_the_moving_tracks_of_all_sets_that_reach_into_it(stored):
    with opened(stored) as tracks:
        window = tracks.window(range(2, 8))
    assert (window.start, window.stop) == (2, 8)
    assert window.visible.astype(int).tolist() == [
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [0, 1, 1, 1, 1, 1],
        [0, 1, 1, 1, 1, 1],
    ]
    for frame in range(2, 8):
        assert set(window.points(frame)[:, 1]) == {frame}
    assert window.points(4)[:, 0].tolist() == [0, 2, 600, 602]


def test_frames_without_tracks_have_none(stored):
    with opened(stored) as tracks:
        window = tracks.window(range(10, 14))
    assert len(window) == 0
    assert window.visible.shape == (0, 4)


def test_unsure_and_hidden_places_are_not_visible_and_tracks_without_any_are_left_out(tmp_path):
    confidence = np.array([[0.4, 0.6, 0.9], [0.5, 0.5, 0.5], [1, 1, 1]], np.float32)
    visible = np.array([[1, 1, 0], [1, 1, 1], [0, 0, 1]], bool)
    save_labelled(
        tmp_path, numbered(0, 0, 3, 3), np.ones(3, bool), 0, 0, visible, confidence
    )  # fmt: skip
    with opened(tmp_path) as tracks:
        window = tracks.window(range(3))
    assert window.visible.tolist() == [[False, True, False], [False, False, True]]
    assert window.xy[:, 0, 0].tolist() == [0, 2]


def test_of_too_many_tracks_an_even_share_is_taken(tmp_path):
    for query in (0, 5):
        save_labelled(tmp_path, numbered(query, 0, 4, 40), np.ones(40, bool), query, 0)
    with opened(tmp_path, limit=20) as tracks:
        taken = tracks.window(range(4)).xy[:, 0, 0].tolist()
        assert taken == tracks.window(range(4)).xy[:, 0, 0].tolist()
    assert taken == [*range(0, 40, 4), *range(500, 540, 4)]


def test_places_come_in_pixels_of_the_masks(tmp_path):
    save_labelled(tmp_path, np.full((1, 2, 2), 9.5), np.ones(1, bool))
    with opened(tmp_path, scale=Scale.between((40, 60), (20, 15))) as tracks:
        assert np.allclose(tracks.window(range(2)).xy, [2.0, 4.5])


def test_artefacts_that_do_not_belong_together_are_refused(stored):
    (stored / "labels/00006.npz").unlink()
    with pytest.raises(CacheError, match="delete both"):
        opened(stored)


def test_the_total_counts_the_moving_tracks_of_the_scene(stored):
    with opened(stored) as tracks:
        assert tracks.total == 6
        assert tracks.short


def test_confidence_fits_the_tracker_unless_it_is_given(tmp_path):
    confidence = np.array([[0.6], [0.95]], np.float32)
    save_labelled(tmp_path, numbered(0, 0, 1, 2), np.ones(2, bool), confidence=confidence)
    (tmp_path / "network").mkdir()
    points = QueryPoints(
        starts=np.zeros(1, np.int64),
        length=1,
        window=np.zeros(2, np.int64),
        frame=np.zeros(2, np.int64),
        xy=numbered(0, 0, 1, 2)[:, 0],
        drawn=True,
    )
    # Expected-distance logits of the confidences 0.6 and 0.95; both are visible.
    logits = np.log(1 / confidence - 1)
    block = np.concatenate([points.xy, np.full((2, 1), -9.0), logits], axis=1, dtype=np.float32)
    with TrackArrayWriter(tmp_path / "network", points) as writer:
        writer.append(block[:, None])
    with opened(tmp_path, confidence=None) as built_in:
        assert len(built_in.window(range(1))) == 2
    with MovingTracks(tmp_path / "network", tmp_path / "labels", None, 100) as network:
        assert not network.short
        assert network.window(range(1)).xy[:, 0, 0].tolist() == [1]


def test_damaged_tracks_are_said(stored):
    (stored / "tracks/00006.npz").write_bytes(bytes(500))
    with pytest.raises(CacheError, match=r"00006.npz is not a Tracks file or is damaged"):
        opened(stored)
