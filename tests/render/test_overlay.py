import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moseg.render import palette
from moseg.render.overlay import contour_width, draw_tracks, paint, paint_plain

shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))
scenes = shapes.flatmap(
    lambda s: st.tuples(arrays(np.uint8, (*s, 3)), arrays(np.uint8, s, elements=st.integers(0, 3)))
)


def grey(height: int = 60, width: int = 80) -> np.ndarray:
    return np.full((height, width, 3), 100, np.uint8)


def block() -> np.ndarray:
    ids = np.zeros((60, 80), np.uint8)
    ids[20:40, 30:60] = 1
    return ids


@settings(max_examples=60, deadline=None)
@given(scene=scenes, alpha=st.floats(0, 1))
def test_only_masked_pixels_change_and_inputs_never(scene, alpha: float) -> None:
    frame, ids = scene
    before = frame.copy()
    painted = paint(frame, ids, alpha)
    np.testing.assert_array_equal(frame, before)
    assert painted.dtype == np.uint8
    np.testing.assert_array_equal(painted[ids == 0], frame[ids == 0])


def test_inside_is_blended_and_the_contour_is_the_full_colour() -> None:
    painted, ids = paint(grey(), block(), alpha=0.5), block()
    colour = palette.object_colours()[1].astype(int)
    inner = cv2.erode(ids, np.ones((3, 3), np.uint8)) > 0
    np.testing.assert_array_equal(painted[(ids > 0) & ~inner], colour[None].repeat(96, 0))
    assert np.abs(painted[inner] - (colour + 100) / 2).max() <= 1


def test_objects_that_touch_are_told_apart_and_the_border_has_no_contour() -> None:
    ids = np.ones((60, 80), np.uint8)
    ids[:, 40:] = 2
    painted = paint(grey(), ids, alpha=0.0)
    colour = palette.object_colours()[2]
    np.testing.assert_array_equal(painted[:, 40], np.broadcast_to(colour, (60, 3)))
    changed = (painted != 100).any(axis=2)
    assert changed[:, 40].all()
    assert changed.sum() == 60


@pytest.mark.parametrize(("height", "width", "line"), [(8, 8, 1), (480, 854, 2), (1080, 1920, 4)])
def test_the_contour_grows_with_the_frame(height: int, width: int, line: int) -> None:
    assert contour_width(height, width) == line
    ids = np.zeros((height, width), np.uint8)
    ids[:, width // 2 :] = 1
    changed = (paint(grey(height, width), ids, alpha=0.0) != 100).any(axis=2)
    assert changed[height // 2].sum() == line


def test_each_of_twelve_objects_has_its_colour() -> None:
    ids = np.repeat(np.arange(13, dtype=np.uint8), 10)[None].repeat(20, axis=0)
    painted = paint(grey(20, 130), ids, alpha=1.0)
    np.testing.assert_array_equal(painted[10, 15::10], palette.object_colours()[1:13])


def test_paint_plain_treats_all_objects_as_one() -> None:
    ids = block()
    ids[20:40, 45:] = 2
    ids[20:40, 60:] = 0
    painted = paint_plain(grey(), ids, (0, 255, 0), 0.5)
    assert {tuple(c) for c in painted[ids > 0].tolist()} == {(50, 178, 50)}
    np.testing.assert_array_equal(painted[ids == 0], grey()[ids == 0])


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="ids must be"):
        paint(grey(), np.zeros((60, 81), np.uint8))
    with pytest.raises(ValueError, match="ids must be"):
        paint(grey(), np.zeros((60, 80), np.int32))
    with pytest.raises(ValueError, match="a frame must be"):
        paint(grey().astype(float), block())
    with pytest.raises(ValueError, match="do not fit"):
        draw_tracks(grey(), np.zeros((3, 2)), np.zeros(4, bool))
    with pytest.raises(ValueError, match="tails"):
        draw_tracks(grey(), np.zeros((3, 2)), np.zeros(3, bool), np.zeros((2, 5, 2)))


def test_tracks_have_the_colour_of_their_label() -> None:
    xy = np.array([[10.0, 30.0], [40.0, 30.0], [70.0, 30.0]])
    drawn = draw_tracks(grey(), xy, np.array([0.0, np.nan, 1.0]), radius=3.0)
    assert tuple(drawn[30, 10].tolist()) == palette.STATIC_COLOUR
    assert np.abs(drawn[30, 40].astype(int) - palette.UNSURE_COLOUR).max() <= 2
    assert tuple(drawn[30, 70].tolist()) == palette.MOVING_COLOUR
    again = draw_tracks(grey(), xy[[0, 2]], np.array([False, True]), radius=3.0)
    np.testing.assert_array_equal(again[:, :25], drawn[:, :25])
    np.testing.assert_array_equal(again[:, 55:], drawn[:, 55:])


def test_a_moving_track_is_never_hidden_by_a_static_one() -> None:
    xy = np.full((5, 2), 30.0)
    drawn = draw_tracks(grey(), xy, np.array([0.1, 1.0, 0.0, 0.3, 0.2]))
    assert tuple(drawn[30, 30].tolist()) == palette.MOVING_COLOUR


def test_dots_lie_at_x_y_and_between_pixels() -> None:
    drawn = draw_tracks(grey(), np.array([[50.5, 20.0]]), np.array([True]), radius=3.0)
    change = np.abs(drawn.astype(float) - 100).sum(axis=2)
    ys, xs = np.mgrid[:60, :80]
    centre = (change * xs).sum() / change.sum(), (change * ys).sum() / change.sum()
    assert centre == pytest.approx((50.5, 20.0), abs=0.1)


def test_hidden_and_distant_tracks_are_left_out() -> None:
    xy = np.array([[np.nan, 5.0], [np.inf, 5.0], [-1e12, 5.0], [5.0, 1e300], [-30.0, 10.0]])
    drawn = draw_tracks(grey(), xy, np.ones(5))
    np.testing.assert_array_equal(drawn, grey())
    none = draw_tracks(grey(), np.zeros((0, 2)), np.zeros(0, bool), np.zeros((0, 4, 2)))
    np.testing.assert_array_equal(none, grey())


def test_tails_lead_to_the_track_and_skip_hidden_places() -> None:
    xy, still = np.array([[60.0, 30.0]]), np.array([False])
    tails = np.array([[[20.0, 30.0], [np.nan, np.nan], [40.0, 30.0]]])
    drawn = draw_tracks(grey(), xy, still, tails, radius=1.0)
    changed = (drawn != 100).any(axis=2)
    assert changed[30, 20:60].all()
    assert not changed[:, :18].any()
    assert not changed[:27].any()
    lost = np.full((1, 3, 2), np.nan)
    np.testing.assert_array_equal(
        draw_tracks(grey(), xy, still, lost), draw_tracks(grey(), xy, still)
    )
