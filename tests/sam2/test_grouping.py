"""Tracks become groups, and grouping always ends."""

from __future__ import annotations

import numpy as np
import pytest

from moseg.sam2.grouping import FEWEST, TrackPool, find_groups
from moseg.sam2.points import dilated
from moseg.sam2.tracks import TrackWindow
from tests.sam2.scripted import Mover, Scene, ScriptedPredictor, line


def grouped(scene: Scene):
    """Groups and the pool that is left, of a scene as one window."""
    frames = range(len(scene.labels))
    predictor = ScriptedPredictor(scene.labels)
    predictor.open_window(frames)
    pool = TrackPool(scene.window(frames))
    take_all = scene.total < FEWEST
    return find_groups(pool, predictor.click, None, take_all), pool, predictor


def shown(visible: np.ndarray, start: int = 0) -> TrackWindow:
    """Tracks side by side, seen as told, bool [n, L]."""
    count, length = visible.shape
    xy = np.zeros((count, length, 2), np.float32)
    xy[..., 0] = np.arange(count)[:, None]
    return TrackWindow(start, xy, visible)


def clicks_of(window: TrackWindow, mask: np.ndarray | None = None, most: int | None = None):
    """Frames and points of the clicks when each gives the same mask; none is empty."""
    clicks = []

    def click(frame, points):
        clicks.append((frame, *points[0].tolist()))
        return np.zeros((5, 300), bool) if mask is None else mask

    groups = find_groups(TrackPool(window), click, most, len(window) < FEWEST)
    return groups, clicks


def test_each_object_gets_its_own_tracks_the_best_seen_first():
    few = Mover(1, (20, 20), line(12, (5, 10), (1, 0)), tracks=9)
    many = Mover(2, (20, 20), line(12, (70, 40), (-1, 0)), tracks=25)
    groups, pool, _ = grouped(Scene(12, (80, 120), [few, many]))
    assert [sorted(group.rows) for group in groups] == [list(range(9, 34)), list(range(9))]
    assert [group.support for group in groups] == [25, 9]
    assert len(pool) == 0


@pytest.mark.parametrize(("tracks", "found"), [(5, 1), (6, 3), (7, 3)])
def test_six_tracks_make_an_object(tracks, found):
    few = [
        Mover(label, (20, 20), line(12, (5, y), (1, 0)), tracks=tracks)
        for label, y in [(1, 5), (3, 50)]
    ]
    many = Mover(2, (20, 20), line(12, (90, 30), (-1, 0)), tracks=12)
    groups, pool, _ = grouped(Scene(12, (80, 120), [*few, many]))
    assert len(groups) == found
    assert len(pool) == (5 if tracks == 5 else 0)  # used up, though no object; then too few


def test_tracks_around_a_mask_count_but_do_not_belong():
    xy = np.array([[[10 + at, 10]] for at in range(7)], np.float32)
    mask = np.zeros((30, 40), bool)
    mask[10, 12:14] = True
    pool = TrackPool(TrackWindow(3, xy, np.ones((7, 1), bool)))
    [group] = find_groups(pool, lambda frame, points: mask)
    assert group.rows.tolist() == [2, 3]
    assert (group.frame, group.support) == (3, 7)
    assert len(pool) == 0


def test_a_mask_beside_all_tracks_makes_no_group():
    xy = np.array([[[10 + at, 10]] for at in range(7)], np.float32)
    mask = np.zeros((30, 40), bool)
    mask[12, 13] = True
    pool = TrackPool(TrackWindow(0, xy, np.ones((7, 1), bool)))
    assert find_groups(pool, lambda frame, points: mask) == []
    assert len(pool) == 0


@pytest.mark.parametrize("tracks", [1, 2, 5])
def test_few_tracks_are_all_that_is_needed(tracks):
    scene = Scene(12, (60, 60), [Mover(1, (20, 20), line(12, (5, 10), (1, 0)), tracks=tracks)])
    groups, _, predictor = grouped(scene)
    assert [group.rows.tolist() for group in groups] == [list(range(tracks))]
    assert len(predictor.clicks) == 1


def test_few_tracks_on_nothing_make_no_object():
    groups, clicks = clicks_of(shown(np.ones((4, 6), bool)))
    assert groups == []
    assert len(clicks) == 1


def test_clicks_on_nothing_are_not_repeated():
    groups, clicks = clicks_of(shown(np.ones((30, 8), bool)))
    assert groups == []
    assert len(clicks) == len(set(clicks)) == 5


def test_clicks_on_nothing_end_when_too_few_tracks_are_left():
    _, clicks = clicks_of(shown(np.ones((7, 8), bool)))
    assert len(clicks) == len(set(clicks)) == 2


@pytest.mark.parametrize(("frames", "rounds"), [(3, 5), (80, 5), (81, 6), (160, 10), (500, 10)])
def test_rounds_are_limited(frames, rounds):
    _, clicks = clicks_of(shown(np.ones((40, frames), bool)))
    assert len(clicks) == rounds


@pytest.mark.parametrize("most", [1, 3, 30])
def test_as_many_rounds_as_are_asked_for(most):
    _, clicks = clicks_of(shown(np.ones((40, 80), bool)), most=most)
    assert len(clicks) == most


@pytest.mark.parametrize("tracks", [0, 3, 20])
def test_without_visible_tracks_nothing_is_clicked(tracks):
    groups, clicks = clicks_of(shown(np.zeros((tracks, 8), bool)))
    assert (groups, clicks) == ([], [])


def test_it_ends_when_the_last_visible_track_is_gone():
    visible = np.zeros((20, 8), bool)
    visible[:7, 3] = True
    mask = np.ones((5, 300), bool)
    groups, clicks = clicks_of(shown(visible), mask)
    assert [group.rows.tolist() for group in groups] == [list(range(7))]
    assert len(clicks) == 1


@pytest.mark.parametrize(
    ("counts", "frame"),
    [
        ([9, 7, 8, 1, 1, 1, 1, 1, 1, 1], 2),  # two best: 0 and 2
        ([1, 9, 1, 9, 1, 1, 1, 1, 1, 9], 9),  # of equals the later: 3 and 9
        ([1, 2, 3, 4, 1], 3),  # one best
        ([9, 1, 7, 1], 2),  # less than 5: all of them
        ([9, 1, 0, 9], 0),  # the middle one is empty: the first best
        ([1] * 10 + [5, 1, 6, 1, 7, 1, 8, 1, 1, 1], 14),  # four best: 10, 12, 14, 16
    ],
)
def test_the_frame_is_the_middle_one_of_those_that_show_most(counts, frame):
    visible = np.arange(9)[:, None] < np.array(counts)
    _, clicks = clicks_of(shown(visible, start=100))
    assert clicks[0][0] == 100 + frame


@pytest.mark.parametrize("seed", range(16))
def test_equal_counts_have_an_order_in_long_windows(seed):
    counts = np.random.default_rng(seed).integers(5, 10, 100)
    best = sorted(sorted(range(100), key=lambda frame: (counts[frame], frame))[-20:])
    _, clicks = clicks_of(shown(np.arange(9)[:, None] < counts))
    assert clicks[0][0] == best[10]


def test_the_medoid_of_what_is_left_is_clicked():
    window = shown(np.ones((13, 6), bool))
    _, clicks = clicks_of(window)
    assert [x for _, x, _ in clicks] == [6, 5, 7, 5 - 1, 8]


def test_what_is_carried_takes_its_tracks_first():
    left = Mover(1, (20, 20), line(12, (5, 10), (1, 0)), tracks=9)
    right = Mover(2, (20, 20), line(12, (70, 40), (-1, 0)), tracks=16)
    scene = Scene(12, (80, 120), [left, right])
    pool = TrackPool(scene.window(range(4, 12)))
    rows, support = pool.take(4, scene.labels[4] == 2)
    assert rows.tolist() == list(range(9, 25))
    assert support == 16
    predictor = ScriptedPredictor(scene.labels)
    predictor.open_window(range(4, 12))
    [group] = find_groups(pool, predictor.click)
    assert group.rows.tolist() == list(range(9))
    assert pool.take(4, np.zeros((80, 120), bool))[1] == 0


def test_a_click_with_tracks_around_its_mask_drops_these_alone():
    mask = np.zeros((5, 300), bool)
    mask[:, 24:30] = True
    near = int(np.count_nonzero(dilated(mask)[0, :20]))
    assert 0 < near < 8
    pool = TrackPool(shown(np.ones((20, 3), bool)))
    assert find_groups(pool, lambda frame, points: mask, rounds=1) == []
    assert len(pool) == 20 - near
