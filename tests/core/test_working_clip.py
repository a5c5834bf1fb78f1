"""Working frames on disk, and the way between their pixels and the selected frames'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import CacheError
from moseg.core.working_clip import Scale, WorkingClip, WorkingClipWriter

sizes = st.tuples(st.integers(1, 2160), st.integers(1, 3840))
smaller_sizes = st.tuples(st.integers(1, 400), st.integers(1, 600))
points = st.tuples(st.floats(-1, 2000, width=32), st.floats(-1, 2000, width=32))


@given(sizes, smaller_sizes, points)
def test_there_and_back_is_the_same_place(
    selected: tuple[int, int], working: tuple[int, int], point: tuple[float, float]
) -> None:
    scale = Scale.between(selected, working)
    xy = np.array([point], np.float32)
    tolerance = 1e-3 + 1e-3 * max(scale.x, scale.y)
    assert np.allclose(scale.to_working(scale.to_selected(xy)), xy, atol=tolerance)
    assert np.allclose(scale.to_selected(scale.to_working(xy)), xy, atol=tolerance)


@given(sizes, smaller_sizes)
def test_corners_stay_corners(selected: tuple[int, int], working: tuple[int, int]) -> None:
    scale = Scale.between(selected, working)
    small = np.array([[-0.5, -0.5], [working[1] - 0.5, working[0] - 0.5]], np.float32)
    large = np.array([[-0.5, -0.5], [selected[1] - 0.5, selected[0] - 0.5]], np.float32)
    assert np.allclose(scale.to_selected(small), large, rtol=1e-5)
    assert np.allclose(scale.to_working(large), small, rtol=1e-5)


def test_pixel_centres_fall_between_the_pixels_they_cover() -> None:
    scale = Scale.between((20, 90), (10, 30))
    assert (scale.x, scale.y) == (3, 2)
    places = scale.to_selected(np.array([[[0, 0], [1, 1]]], np.float32))
    assert places.dtype == np.float32
    assert places.tolist() == [[[1, 0.5], [4, 2.5]]]
    assert scale.to_working(places).tolist() == [[[0, 0], [1, 1]]]


def test_a_clip_reads_what_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    flows = rng.normal(0, 3, (2, 2, 4, 6, 2)).astype(np.float32)
    with WorkingClipWriter(tmp_path, (4, 6)) as writer:
        for frame in frames:
            writer.add_frame(frame)
        for forward, backward in flows:
            writer.add_flow(forward, backward)
    with WorkingClip(tmp_path) as clip:
        assert len(clip) == 3
        assert clip.size == (4, 6)
        for index in (2, 0, 1):
            assert (clip.rgb(index) == frames[index]).all()
        for pair in (1, 0):
            assert (clip.forward(pair) == flows[pair, 0].astype(np.float16)).all()
            assert (clip.backward(pair) == flows[pair, 1].astype(np.float16)).all()


@pytest.mark.parametrize("missing", ["rgb.npy", "forward.npy", "backward.npy"])
def test_an_incomplete_clip_is_refused(tmp_path: Path, missing: str) -> None:
    with WorkingClipWriter(tmp_path, (4, 6)) as writer:
        writer.add_frame(np.zeros((4, 6, 3), np.uint8))
    (tmp_path / missing).unlink()
    with pytest.raises(CacheError, match="incomplete"):
        WorkingClip(tmp_path)
