"""The built-in predictor: clicks and objects on regions that are there already."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.sam2.light.regions import Regions, TracksOnRegions
from moseg.sam2.mask_store import MaskStore
from moseg.sam2.segment import SegmentSettings, segment
from moseg.sam2.tracks import TrackWindow

SIZE = (40, 60)
TABLE = np.array([0, 1, 2, 0, 3], np.uint8)
"""Provisional region 3 was removed."""


def regions(frames: list[NDArray[np.uint16]], soft: float = 0.5) -> Regions:
    scratch: dict[tuple[str, int], NDArray[Any]] = {}
    for number, ids in enumerate(frames):
        scratch["ids", number] = ids
        scratch["soft", number] = np.full(SIZE, soft, np.float16)
    return Regions(scratch, TABLE, SIZE)


def boxes(**where: tuple[int, int]) -> NDArray[np.uint16]:
    """A frame with boxes of 10 x 10; `r2=(top, left)` is provisional region 2."""
    ids = np.zeros(SIZE, np.uint16)
    for name, (top, left) in where.items():
        ids[top : top + 10, left : left + 10] = int(name[1:])
    return ids


def at(*points: tuple[float, float]) -> NDArray[np.float32]:
    return np.array(points, np.float32)


def test_a_click_finds_the_region_under_it_or_next_to_it():
    found = regions([boxes(r1=(5, 5), r2=(5, 30), r3=(25, 5))])
    assert found.size == SIZE
    first = found.click(0, at((9, 9)))
    assert first.dtype == bool
    assert np.array_equal(first, boxes(r1=(5, 5)) > 0)
    assert np.array_equal(found.click(0, at((18, 9))), first), "4 pixels beside it"
    assert not found.click(0, at((20, 9))).any(), "6 pixels beside it"
    assert not found.click(0, at((9, 30))).any(), "on a region that was removed"
    both = found.click(0, at((9, 9), (35, 9)))
    assert np.array_equal(both, boxes(r1=(5, 5), r2=(5, 30)) > 0)
    assert np.array_equal(found.click(0, at((-7.0, 3.0), (500, 90))), np.zeros(SIZE, bool))


def test_an_object_is_all_regions_that_its_prompts_touched():
    frames = [boxes(r1=(5, 5), r2=(5, 30)), boxes(r1=(6, 6)), boxes(r2=(5, 32), r4=(25, 5))]
    one = regions(frames, soft=0.25).new_object()
    one.click(0, at((9, 9)))
    assert [p.mask.any() for p in one.propagate(range(3))] == [True, True, False]
    one.click(2, at((36, 9)))
    masks = {p.frame: p for p in one.propagate(range(2, -1, -1))}
    assert list(masks) == [2, 1, 0]
    assert np.array_equal(masks[0].mask, frames[0] > 0)
    assert np.array_equal(masks[2].mask, frames[2] == 2)
    assert masks[0].score == pytest.approx(0.25)
    one.click(2, at((9, 29)))
    last = next(iter(one.propagate([2])))
    assert np.array_equal(last.mask, frames[2] == 4), "a click replaces that of its frame"


def test_an_unseen_object_has_no_score():
    one = regions([boxes()]).new_object()
    one.click(0, at((9, 9)))
    (only,) = one.propagate(range(1))
    assert not only.mask.any()
    assert only.score == 0.0


def test_a_drawn_mask_means_the_regions_it_covers_by_half():
    frames = [boxes(r1=(5, 5), r2=(5, 30))]
    one = regions(frames).new_object()
    drawn = np.zeros(SIZE, bool)
    drawn[5:15, 5:12] = True
    drawn[5:15, 30:33] = True
    assert np.array_equal(one.draw(0, drawn), boxes(r1=(5, 5)) > 0)


def test_what_was_prompted_lives_on_after_a_window():
    frames = [boxes(r1=(5, 5)), boxes(r1=(6, 6)), boxes(r1=(7, 7), r2=(20, 30))]
    one = regions(frames).new_object()
    one.click(0, at((9, 9)))
    one.carry(1)
    one.click(2, at((35, 25)))
    assert np.array_equal(next(iter(one.propagate([2]))).mask, frames[2] > 0)


class Walk:
    """Twelve tracks that cross the frame, unseen in the middle of it."""

    total = 12

    def window(self, frames: range) -> TrackWindow:
        left = np.arange(len(frames), dtype=np.float32) * 8
        spread = np.stack(np.meshgrid(np.arange(2, 9, 2.0), np.arange(2, 9, 3.0)), -1)
        xy = spread.reshape(-1, 1, 2) + np.stack([left, np.full_like(left, 10)], -1)
        visible = np.ones(xy.shape[:2], bool)
        visible[:, 3] = False
        return TrackWindow(frames.start, xy.astype(np.float32), visible)


def test_tracks_join_what_the_flow_lost(tmp_path):
    """Region 1 ends behind something, region 2 comes out: the same tracks lie in both."""
    frames = [boxes(**{f"r{1 if t < 3 else 2}": (10, 8 * t)}) for t in range(6)]
    frames[3] = boxes()
    with MaskStore(tmp_path / "masks", SIZE) as store:
        found = segment(regions(frames), Walk(), 6, store, SegmentSettings(interval=2))
        assert [one.id for one in found.objects] == [1]
        for number, ids in enumerate(frames):
            assert np.array_equal(found.paint(number), (ids > 0).astype(np.uint8))


class Still:
    """Points that stay where they are through all frames."""

    def __init__(self, *points: tuple[float, float]) -> None:
        self.xy = at(*points)
        self.total = len(points)

    def window(self, frames: range) -> TrackWindow:
        xy = np.repeat(self.xy[:, None], len(frames), axis=1)
        return TrackWindow(frames.start, xy, np.ones(xy.shape[:2], bool))


def test_tracks_count_where_they_are_on_a_region():
    frames = [boxes(r1=(5, 5)), boxes(r1=(5, 30)), boxes()]
    window = TracksOnRegions(Still((9, 9), (33, 9), (18, 9)), regions(frames)).window(range(3))
    assert window.visible.astype(int).tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert window.xy[0, 1].tolist() == [9, 9]


def test_strays_between_two_objects_do_not_take_the_rounds(tmp_path):
    """Half the tracks lie between two regions, where the medoid of all of them is."""
    found = regions([boxes(r1=(5, 5), r2=(25, 40))] * 2)
    strays = [(28 + x, 15 + y) for x in range(4) for y in range(5)]
    grid = [(x, y) for x in (1, 4, 7) for y in (1, 4, 7)]
    inside = [(5 + x, 5 + y) for x, y in grid] + [(40 + x, 25 + y) for x, y in grid]
    settings = SegmentSettings(rounds=3)
    counts = []
    for source in (Still(*strays, *inside), TracksOnRegions(Still(*strays, *inside), found)):
        with MaskStore(tmp_path / "masks", SIZE) as store:
            counts.append(len(segment(found, source, 2, store, settings).objects))
    assert counts == [0, 2]
