"""Made-up clips: repeatable, true to their truth, with real parallax and real motion."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pytest

from moseg.core.errors import ConfigError
from moseg.sample.clip import (
    OBJECT_NAMES,
    RENDERERS,
    Clip,
    Frame,
    Ids,
    Kind,
    panning_plane_clip,
    render_sample,
    static_clip,
)

VAN, JOGGER, STORK = OBJECT_NAMES
KINDS: list[Kind] = ["objects", "static", "pan"]


def stacked(clip: Clip) -> tuple[Frame, Ids]:
    frames, ids = zip(*clip, strict=True)
    return np.stack(frames), np.stack(ids)


@pytest.fixture(scope="module")
def sweep() -> tuple[Frame, Ids]:
    """The 60 frames of the first sweep, at a quarter of the usual size."""
    return stacked(render_sample(60, 120, 214, seed=0))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_arguments_give_equal_clips(kind: Kind) -> None:
    first, second, other = (stacked(RENDERERS[kind](3, 48, 64, seed)) for seed in (4, 4, 5))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("height", "width"), [(16, 16), (48, 64), (49, 65), (97, 31)])
def test_all_sizes_are_rendered(kind: Kind, height: int, width: int) -> None:
    frames, ids = stacked(RENDERERS[kind](10, height, width, 0))
    assert frames.shape == (10, height, width, 3)
    assert frames.dtype == np.uint8
    assert ids.shape == (10, height, width)
    assert ids.dtype == np.uint8
    assert ids.max() <= len(OBJECT_NAMES)
    assert frames.std() > 15


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_made_one_by_one(kind: Kind) -> None:
    assert len(list(islice(RENDERERS[kind](10**9, 16, 16, 0), 2))) == 2


@pytest.mark.parametrize("seed", range(3))
def test_all_objects_are_there_even_in_a_short_clip(seed: int) -> None:
    _, ids = stacked(render_sample(10, 48, 64, seed))
    assert set(np.unique(ids[0])) == {0, VAN, JOGGER}
    assert STORK in ids[-1]


def test_the_stork_comes_late_and_stays(sweep: tuple[Frame, Ids]) -> None:
    seen = (sweep[1] == STORK).any(axis=(1, 2))
    assert not seen[:20].any()
    assert seen[24:].all()


def test_objects_are_large_enough_to_matter(sweep: tuple[Frame, Ids]) -> None:
    shares = [(sweep[1] == number).mean(axis=(1, 2)) for number in OBJECT_NAMES]
    assert shares[0][:30].min() > 0.05
    assert shares[1].min() > 0.0015
    assert shares[2][36:50].min() > 0.004


def test_van_and_jogger_pass_behind_the_birch(sweep: tuple[Frame, Ids]) -> None:
    for number, least_hidden in ((VAN, 0.1), (JOGGER, 0.3)):
        area = (sweep[1] == number).sum(axis=(1, 2)).astype(float)
        before, hidden, after = area[5:15].max(), area[15:50].min(), area[50:].max()
        assert hidden < (1 - least_hidden) * before
        if number == JOGGER:
            assert after > 0.8 * before


def test_the_stork_changes_its_shape(sweep: tuple[Frame, Ids]) -> None:
    heights = [np.ptp(np.nonzero(ids == STORK)[0]) for ids in sweep[1][36:52]]
    assert max(heights) > 2 * min(heights)


def test_still_clips_have_no_object() -> None:
    for clip in (static_clip(3, 48, 64), panning_plane_clip(3, 48, 64)):
        assert not stacked(clip)[1].any()


def test_only_noise_changes_in_a_static_clip() -> None:
    frames = stacked(static_clip(6, 96, 160))[0].astype(np.float64)
    change = frames[5] - frames[0]
    assert abs(change.mean()) < 0.1
    assert change.std() == pytest.approx(2 * np.sqrt(2), rel=0.1)
    assert np.abs(cv2.blur(change, (9, 9))).max() < 2.5


def background_flow(frames: Frame, ids: Ids) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the first frame away from objects, and where they are in the last."""
    first, last = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (frames[0], frames[-1]))
    busy = cv2.dilate((ids > 0).any(axis=0).astype(np.uint8), np.ones((25, 25), np.uint8))
    start = cv2.goodFeaturesToTrack(first, 1500, 0.01, 4, mask=1 - busy)
    end, found, _ = cv2.calcOpticalFlowPyrLK(first, last, start, None)
    back, _, _ = cv2.calcOpticalFlowPyrLK(last, first, end, None)
    sure = (found[:, 0] == 1) & (np.abs(back - start).max(axis=(1, 2)) < 0.3)
    return start[sure, 0], end[sure, 0]


def share_off_one_homography(clip: Clip) -> float:
    start, end = background_flow(*stacked(clip))
    assert len(start) > 200
    _, inliers = cv2.findHomography(start, end, cv2.USAC_MAGSAC, 1.0)
    return float(1 - inliers.mean())


@pytest.mark.parametrize("seed", range(3))
def test_one_homography_does_not_explain_the_landscape(seed: int) -> None:
    assert share_off_one_homography(islice(render_sample(60, 240, 426, seed), 6)) > 0.15


def test_one_homography_explains_the_wall() -> None:
    assert share_off_one_homography(islice(panning_plane_clip(60, 240, 426), 6)) < 0.03


def test_near_things_pass_faster_than_far_ones() -> None:
    frames, ids = stacked(islice(render_sample(60, 240, 426), 6))
    start, end = background_flow(frames, ids)
    moved, row = end[:, 0] - start[:, 0], start[:, 1]
    far, near = np.median(moved[row < 90]), np.median(moved[row > 190])
    assert far < 0
    assert near < far - 0.8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 48, 64, 0), "frames: 0 is too few"),
        ((5, 15, 64, 0), "64x15 is too small"),
        ((5, 48, 64, -1), "seed: -1 is negative"),
    ],
)
def test_bad_arguments_are_refused_at_once(
    kind: Kind, arguments: tuple[int, int, int, int], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        RENDERERS[kind](*arguments)
