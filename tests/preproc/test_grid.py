"""Grid tracks along flow that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from moseg.preproc.tracks.grid import DRIFT_SCALE, advance, grid_points, track_set

Float32 = NDArray[np.float32]

HEIGHT, WIDTH = 40, 60
SIZE = (HEIGHT, WIDTH)


@dataclass(frozen=True)
class Flows:
    """Flow of some pairs, listed; no other pair may be asked for."""

    there: list[Float32]
    back: list[Float32]

    def forward(self, pair: int) -> Float32:
        assert pair >= 0
        return self.there[pair]

    def backward(self, pair: int) -> Float32:
        assert pair >= 0
        return self.back[pair]


def constant(dx: float, dy: float) -> Float32:
    return np.full((HEIGHT, WIDTH, 2), (dx, dy), np.float32)


def steady(dx: float, dy: float, frames: int) -> Flows:
    pairs = frames - 1
    return Flows([constant(dx, dy)] * pairs, [constant(-dx, -dy)] * pairs)


def inside(xy: Float32) -> NDArray[np.bool_]:
    return np.asarray((xy >= 0).all(-1) & (xy[..., 0] <= WIDTH - 1) & (xy[..., 1] <= HEIGHT - 1))


def test_points_are_on_the_grid_at_the_query_frame() -> None:
    found = track_set(steady(1, 0.5, 9), 3, 9, SIZE, span=2, spacing=5)
    at = found.query_frame - found.start
    assert (found.xy[:, at] == grid_points(HEIGHT, WIDTH, 5)).all()
    assert found.visible[:, at].all()
    assert (found.visibility[:, at] == 1).all()
    assert (found.confidence[:, at] == 1).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 20))
def test_the_grid_is_regular_and_centred(height: int, width: int, spacing: int) -> None:
    points = grid_points(height, width, spacing)
    assert len(points) == max(1, width // spacing) * max(1, height // spacing)
    assert np.allclose(points.mean(axis=0), ((width - 1) / 2, (height - 1) / 2), atol=1e-3)
    assert points.min() >= 0
    assert (points.max(axis=0) <= (width - 1, height - 1)).all()
    columns = np.unique(points[:, 0])
    assert np.allclose(np.diff(columns), spacing)


def test_tracks_of_a_constant_flow_move_exactly() -> None:
    found = track_set(steady(1.5, -0.75, 9), 4, 9, SIZE, span=4)
    away = np.arange(-4, 5, dtype=np.float32)[None, :, None]
    true = found.xy[:, 4:5] + away * np.array([1.5, -0.75], np.float32)
    assert found.visible.sum() > 0.7 * found.visible.size
    assert (found.xy[found.visible] == true[found.visible]).all()
    assert (found.visible == inside(true)).all()
    assert (found.confidence[found.visible] == 1).all()


def test_ended_tracks_keep_their_last_position_and_never_return() -> None:
    flows = steady(20, 0, 7)
    flows.there[3:] = [constant(-20, 0)] * 3
    flows.back[3:] = [constant(20, 0)] * 3
    found = track_set(flows, 0, 7, SIZE, span=6, spacing=10)
    ended = found.xy[:, 0, 0] > WIDTH - 21
    assert ended.any()
    assert not found.visible[ended, 1:].any()
    assert (found.xy[ended] == found.xy[ended, :1]).all()
    assert (found.visibility[ended, 1:] == 0).all()
    assert (found.confidence[ended, 1:] == 0).all()


@pytest.mark.parametrize("query", [0, 6])
def test_tracks_end_where_forward_and_backward_disagree(query: int) -> None:
    flows = steady(0, 0, 7)
    flows.back[3] = constant(0, 0)
    flows.back[3][:, :30] = 3, 0
    found = track_set(flows, query, 7, SIZE, span=6)
    left = found.xy[:, 0, 0] < 29
    before, after = (np.s_[:4], np.s_[4:]) if query == 0 else (np.s_[4:], np.s_[:4])
    assert found.visible[:, before].all()
    assert not found.visible[left, after].any()
    assert found.visible[~left & (found.xy[:, 0, 0] > 30)].all()


def test_confidence_falls_with_the_error_summed_up() -> None:
    flows = Flows([constant(0, 0)] * 4, [constant(0.4, 0)] * 4)
    found = track_set(flows, 0, 5, SIZE, span=4)
    assert found.visible.all()
    assert np.allclose(found.confidence, np.exp(-0.4 * np.arange(5) / DRIFT_SCALE))
    assert np.allclose(found.visibility[:, 1:], 1 / 1.16)


@pytest.mark.parametrize(
    ("query", "frames", "start", "length"),
    [(0, 9, 0, 4), (1, 9, 0, 5), (4, 9, 1, 7), (8, 9, 5, 4), (1, 3, 0, 3), (0, 1, 0, 1)],
)
def test_windows_are_cut_at_the_ends_of_the_video(
    query: int, frames: int, start: int, length: int
) -> None:
    found = track_set(steady(0.5, 0, frames), query, frames, SIZE, span=3, spacing=10)
    assert found.start == start
    assert found.xy.shape == (24, length, 2)
    assert found.visible.shape == found.visibility.shape == found.confidence.shape == (24, length)
    assert found.visible[0].all()


def test_each_step_reads_its_own_pair() -> None:
    there = [constant(2.0**pair / 8, 0) for pair in range(6)]
    found = track_set(Flows(there, [-f for f in there]), 3, 7, SIZE, span=3, spacing=20)
    middle = found.xy[1, :, 0] - found.xy[1, 3, 0]
    assert np.allclose(middle, np.array([-7, -6, -4, 0, 8, 24, 56]) / 8)


def test_the_border_itself_is_inside() -> None:
    points = np.array([[0, 0], [WIDTH - 2, 0], [WIDTH - 1, 5]], np.float32)
    moved, error, good = advance(points, constant(1, 0), constant(-1, 0))
    assert moved.tolist() == [[1, 0], [WIDTH - 1, 0], [WIDTH, 5]]
    assert np.allclose(error, 0)
    assert good.tolist() == [True, True, False]


def test_the_way_back_is_read_where_the_point_arrives() -> None:
    back = constant(-10, 0)
    back[:, 40:] = 10, 0
    points = np.array([[20, 9], [35, 9], [45, 9]], np.float32)
    _, _, good = advance(points, constant(10, 0), back)
    assert good.tolist() == [True, False, False]


def test_a_longer_step_may_miss_by_more() -> None:
    points = np.array([[20, 20]], np.float32)
    _, error, good = advance(points, constant(15, 0), constant(-14, 0))
    assert error.tolist() == [1]
    assert good.all()
    _, error, good = advance(points, constant(1, 0), constant(0, 0))
    assert error.tolist() == [1]
    assert not good.any()


def test_tiny_frames_have_a_track() -> None:
    still = [np.zeros((1, 1, 2), np.float16)] * 2
    found = track_set(Flows(still, still), 1, 3, (1, 1))  # type: ignore[arg-type]
    assert found.xy.tolist() == [[[0, 0]] * 3]
    assert found.visible.all()
