"""The light densifier on synthetic clips."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.sam2.light.densify import DenseFrame, DensifySettings, find_regions, sharpen
from moseg.sam2.light.guided import apply_coefficients
from tests.sam2.light.scenes import DiscClip, line, overlap


def run(clip: DiscClip) -> list[DenseFrame]:
    scratch: dict[tuple[str, int], NDArray[Any]] = {}
    settings = DensifySettings()
    regions = find_regions(clip, scratch, settings)
    frames = list(sharpen(clip, scratch, regions.ids, settings))
    assert not scratch
    return frames


def test_true_labels_on_a_moving_disc_give_the_disc() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 12)])
    for frame in run(clip):
        assert overlap(frame.ids > 0, clip.owner(frame.index) > 0) > 0.9
        assert set(np.unique(frame.ids)) == {0, 1}


@pytest.mark.parametrize("index", [0, 6, 11])
def test_votes_of_other_frames_fill_a_frame_without_positive_labels(index: int) -> None:
    clip = DiscClip([line((20, 40), (3, 0), 12)])
    bare = DiscClip(clip.paths, hidden=frozenset({index}))
    truth = clip.owner(index) > 0
    assert overlap(run(bare)[index].ids > 0, truth) > 0.8


def test_nothing_positive_gives_empty_masks() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 8)], labels="none")
    for frame in run(clip):
        assert not frame.ids.any()
        assert not (frame.soft > 0).any()
        assert not frame.lift(clip.rgb(frame.index)).any()


def test_two_runs_give_the_same_bytes() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 6)])
    for one, two in zip(run(clip), run(clip), strict=True):
        assert one.soft.tobytes() == two.soft.tobytes()
        assert one.ids.tobytes() == two.ids.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (37, 53), (3, 90)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_small_frames_and_short_clips_pass(size: tuple[int, int], count: int) -> None:
    clip = DiscClip([line((size[1] / 2, size[0] / 2), (1, 0), count)], radius=4.0, size=size)
    frames = run(clip)
    assert [frame.index for frame in frames] == list(range(count))
    for frame in frames:
        assert frame.ids.shape == size
        assert frame.ids.dtype == np.uint8
        full = np.repeat(np.repeat(clip.rgb(frame.index), 3, axis=0), 2, axis=1)[:, : 2 * size[1]]
        assert frame.lift(full).shape == (3 * size[0], 2 * size[1])
        assert frame.lift(clip.rgb(frame.index)).shape == size


def test_lifting_follows_the_edges_of_the_full_frame() -> None:
    clip = DiscClip([line((24, 40), (3, 0), 8)])
    large = DiscClip([line((24 * 4 + 1.5, 40 * 4 + 1.5), (12, 0), 8)], radius=56.0, size=(320, 480))
    for frame in run(clip):
        lifted = frame.lift(large.rgb(frame.index))
        truth = large.owner(frame.index) > 0
        assert overlap(lifted > 0, truth) > 0.95
        blown_up = cv2.resize(frame.ids, (480, 320), interpolation=cv2.INTER_NEAREST) > 0
        assert overlap(lifted > 0, truth) > overlap(blown_up, truth)


def test_lifting_in_parts_equals_the_whole() -> None:
    generator = np.random.default_rng(5)
    coefficients = generator.standard_normal((40, 60, 4)).astype(np.float32)
    near = np.zeros((40, 60), np.uint8)
    near[5:33, 11:50] = 7
    full = generator.integers(0, 256, (160, 240, 3), dtype=np.uint8)
    frame = DenseFrame(0, coefficients[..., 0], near, near, coefficients)
    expected = np.zeros((160, 240), np.uint8)
    positive = apply_coefficients(coefficients, full) > 0
    expected[20:132, 44:200][positive[20:132, 44:200]] = 7
    assert np.array_equal(frame.lift(full), expected)


def test_lifting_at_the_same_size_is_the_working_result() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 6)])
    for frame in run(clip):
        assert np.array_equal(frame.lift(clip.rgb(frame.index)), frame.ids)
