"""Grids, windows and the draw before tracking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.query_points import QueryPoints, nearest_window, window_starts
from moseg.preproc.queries.draw import all_points, draw, grid_points


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [(480, 854, 80 * 143), (1080, 1920, 72 * 128), (16, 16, 256), (189, 190, 189 * 190)],
)
def test_grid_has_the_spacing_of_the_reference(height, width, count):
    grid = grid_points(height, width)
    assert len(grid) == count
    assert grid[0].tolist() == [0, 0]
    assert grid[1, 1] == 0
    assert (grid.max(axis=0) < [width, height]).all()


@given(frames=st.integers(1, 400), length=st.integers(2, 60))
def test_windows_overlap_by_half_and_cover_everything(frames, length):
    length = min(frames, length)
    starts = window_starts(frames, length)
    covered = np.zeros(frames, int)
    for start in starts:
        covered[start : start + length] += 1
    assert covered.min() >= 1
    assert starts[0] == 0
    assert starts[-1] + length == frames
    assert (np.diff(starts) > 0).all()
    assert (np.diff(starts) <= max(length // 2, 1)).all()


@given(frames=st.integers(1, 300), length=st.integers(4, 50), frame=st.integers(0, 299))
def test_a_query_frame_lies_well_inside_its_window(frames, length, frame):
    frame, length = frame % frames, min(length, frames)
    starts = window_starts(frames, length)
    start = starts[nearest_window(frame, starts, length)]
    before, after = frame - start, start + length - 1 - frame
    assert before >= 0
    assert after >= 0
    assert before >= min(frame, length // 4 - 1)
    assert after >= min(frames - 1 - frame, length // 4 - 1)


def test_the_sample_has_the_size_of_the_references():
    grid = grid_points(480, 854)
    points = all_points(100, grid, 10, 100, 5000, seed=3)
    assert len(points) == 5000
    assert points.drawn
    assert points.query_frames == list(range(0, 100, 10))
    counts = np.bincount(points.frame)[::10]
    # 10 x floor(11440 / 10) = 11440 candidates, of which 5000 are kept: about 500 a query frame.
    assert abs(counts - 500).max() < 5 * np.sqrt(500)
    for frame in points.query_frames:
        own = points.xy[points.rows_of_frame(frame)]
        assert len(np.unique(own, axis=0)) == len(own)


def test_the_draw_is_uniform_over_the_grid():
    rng = np.random.default_rng(0)
    times = np.zeros(60)
    for _ in range(2000):
        for kept in draw(rng, [60, 60, 60], 30):
            np.add.at(times, kept, 1)
    # Each point of each frame is kept with probability 1/3 * 30/60.
    expected = 2000 * 3 * (1 / 3) * (30 / 60)
    assert abs(times - expected).max() < 5 * np.sqrt(expected)


def test_all_points_and_other_seeds():
    grid = grid_points(40, 60)
    everything = all_points(25, grid, 10, 100, None, seed=0)
    assert len(everything) == 3 * len(grid)
    assert not everything.drawn
    first = all_points(25, grid, 10, 100, 50, seed=0)
    again = all_points(25, grid, 10, 100, 50, seed=0)
    other = all_points(25, grid, 10, 100, 50, seed=1)
    assert np.array_equal(first.xy, again.xy)
    assert not np.array_equal(first.xy, other.xy)


def test_fewer_points_than_asked_are_all_taken():
    grid = grid_points(4, 4)
    points = all_points(1, grid, 10, 100, 5000, seed=0)
    assert len(points) == 16


def test_every_query_frame_has_a_point():
    points = all_points(300, grid_points(16, 16), 1, 512, 5000, seed=0)
    assert len(points) == 300


def test_long_videos_have_windows_that_own_their_query_frames(tmp_path):
    grid = grid_points(40, 60)
    points = all_points(230, grid, 10, 50, 100, seed=0)
    assert points.length == 50
    assert len(points.starts) == 9
    points.save(tmp_path / "queries.npz")
    read = QueryPoints.load(tmp_path / "queries.npz")
    assert np.array_equal(read.window, points.window)
    assert read.length == 50
    assert read.drawn is True
    total = 0
    for window in range(len(read.starts)):
        rows = read.rows(window)
        total += rows.stop - rows.start
        assert rows.stop - rows.start == 100
        inside = read.frame[rows] - read.starts[window]
        assert inside.min() >= 0
        assert inside.max() < 50
    assert total == len(read)
    for frame in read.query_frames:
        rows = read.rows_of_frame(frame)
        assert (read.frame[rows] == frame).all()
        assert (read.frame == frame).sum() == rows.stop - rows.start
        assert read.start_of(frame) <= frame < read.start_of(frame) + 50
