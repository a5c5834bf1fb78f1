"""The appearance classifier and its sliding window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.light.appearance import AppearanceWindow
from tests.sam2.light.scenes import DiscClip, disc, line


def test_the_window_returns_every_frame_once_in_order() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 9)])
    window, done = AppearanceWindow(radius=2), []
    for index in range(9):
        evidence = np.where(clip.owner(index) > 0, 3, -3).astype(np.float32)
        fresh = window.push(index, clip.rgb(index), evidence)
        assert len(fresh) == (1 if index >= 2 else 0)
        done += fresh
    done += window.finish()
    assert [index for index, _, _ in done] == list(range(9))


def test_a_frame_is_taught_by_the_frames_around_it_alone() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 12)])

    def appearance(first: int, last: int) -> NDArray[np.float32]:
        window, done = AppearanceWindow(radius=2), []
        for index in range(first, last):
            evidence = np.where(clip.owner(index) > 0, 3, -3).astype(np.float32)
            done += window.push(index, clip.rgb(index), evidence)
        done += window.finish()
        return next(result for index, _, result in done if index == 6)

    assert np.array_equal(appearance(0, 12), appearance(4, 9))
    assert not np.array_equal(appearance(0, 12), appearance(5, 9))
    assert not np.array_equal(appearance(0, 12), appearance(4, 8))


def test_colour_overrules_wrong_motion_labels() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 12)])
    window, done = AppearanceWindow(), []
    for index in range(12):
        moving = clip.owner(index) > 0
        halo = disc(clip.size, (20 + 3 * index + 10, 40), 14) & ~moving if index == 6 else False
        evidence = np.where(moving | halo, 3, -3).astype(np.float32)
        done += window.push(index, clip.rgb(index), evidence)
    done += window.finish()
    moving = clip.owner(6) > 0
    halo = disc(clip.size, (48, 40), 14) & ~disc(clip.size, (38, 40), 16)
    appearance = done[6][2]
    assert np.median(appearance[halo]) < 0 < np.median(appearance[moving])


def test_one_class_alone_gives_no_opinion() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 3)])
    window = AppearanceWindow()
    for index in range(3):
        window.push(index, clip.rgb(index), np.full(clip.size, -3, np.float32))
    assert all(not appearance.any() for _, _, appearance in window.finish())
