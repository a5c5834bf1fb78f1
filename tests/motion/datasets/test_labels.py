"""Which tracks move, and of which it is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from moseg.motion.datasets.labels import label_tracks
from tests.motion.sampling_files import files_with


@pytest.mark.parity
@pytest.mark.parametrize("path", files_with("in_label_tracks"))
def test_labels_of_the_reference(path: Path) -> None:
    with np.load(path) as known:
        xy = known["in_label_tracks"][0].transpose(1, 2, 0)  # [N, L, 2]
        hidden = known["in_label_masked"][0, 0]
        for frame, expected in zip(known["in_label_frames"], known["out_label"], strict=True):
            mask = known["in_label_gt"][frame] > 0
            label, judged = label_tracks(xy[:, frame], ~hidden[:, frame], mask)
            np.testing.assert_array_equal(label, expected > 0)
            assert not judged[hidden[:, frame]].any()


@given(
    arrays.arrays(np.float32, (20, 2), elements=st.floats(-3, 12, width=32)),
    arrays.arrays(np.bool_, (6, 8)),
    arrays.arrays(np.bool_, 20),
)
def test_labels_are_read_under_the_tracks_that_are_seen_inside(
    xy: np.ndarray, mask: np.ndarray, visible: np.ndarray
) -> None:
    label, judged = label_tracks(xy, visible, mask)
    inside = (xy >= 0).all(axis=1) & (xy[:, 0] < 8) & (xy[:, 1] < 6)
    np.testing.assert_array_equal(judged, visible & inside)
    under = [mask[min(round(float(y)), 5), min(round(float(x)), 7)] for x, y in xy.clip(0)]
    np.testing.assert_array_equal(label, judged & under)


def test_of_tracks_that_are_hidden_or_outside_nothing_is_known() -> None:
    xy = np.array([[2, 2], [2, 2], [-0.1, 2], [8, 2]], np.float32)
    label, judged = label_tracks(xy, np.array([True, False, True, True]), np.ones((6, 8), bool))
    assert judged.tolist() == label.tolist() == [True, False, False, False]


def test_points_within_half_a_pixel_of_the_border_take_the_last_pixel() -> None:
    mask = np.zeros((6, 8), np.bool_)
    mask[5, 7] = True
    xy = np.array([[7.9, 5.9], [7.5, 5.5], [6.5, 5]], np.float32)
    label, judged = label_tracks(xy, np.ones(3, bool), mask)
    assert label.tolist() == [True, True, False]
    assert judged.all()
