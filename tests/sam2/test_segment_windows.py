"""Videos of several windows: what is carried, and what is one over them."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.sam2.mask_store import MaskStore
from moseg.sam2.merging import Overlaps
from moseg.sam2.segment import SegmentSettings, segment, windows
from tests.sam2.scripted import (
    SIZE,
    Mover,
    Scene,
    ScriptedPredictor,
    line,
    renamed,
    solved,
    two_that_cross,
)


@given(frames=st.integers(1, 3000), longest=st.integers(2, 300))
def test_windows_share_one_frame_and_are_as_few_and_even_as_can_be(frames, longest):
    found = windows(frames, longest)
    assert found[0].start == 0
    assert found[-1].stop == frames
    assert all(one[-1] == other[0] for one, other in pairwise(found))
    lengths = [len(window) for window in found]
    assert max(lengths) <= longest
    assert max(lengths) - min(lengths) <= 1
    assert (len(found) - 1) * (longest - 1) < max(frames - 1, 1)


@pytest.mark.parametrize(("frames", "longest"), [(0, 5), (5, 1)])
def test_impossible_windows_are_refused(frames, longest):
    with pytest.raises(ValueError, match="no windows"):
        windows(frames, longest)


@pytest.mark.parametrize("window", [200, 21, 16, 11])
def test_one_that_leaves_and_returns_is_the_same(tmp_path, window):
    # Gone in frames 18..22, where windows of 21 frames meet.
    way = np.concatenate([line(21, (40, 10), (3, 0)), line(20, (97, 10), (-3, 0))])
    scene = Scene(41, SIZE, [Mover(3, (20, 20), way, tracks=16)])
    scene.labels[18:23] = 0
    scene.visible[:, 18:23] = False
    found, ids, predictor = solved(scene, tmp_path, window=window)
    assert len(found.objects) == 1
    assert np.array_equal(ids, renamed(scene.labels, {3: 1}))
    assert len(predictor.opened) == len(windows(41, window))


@pytest.mark.parametrize("window", [21, 26, 11])
def test_windows_give_the_masks_of_one_window(tmp_path, window):
    scene = two_that_cross(51)
    whole, ids, _ = solved(scene, tmp_path)
    parts, again, predictor = solved(scene, tmp_path, window=window)
    assert len(predictor.opened) > 1
    assert np.array_equal(ids, scene.labels)
    assert np.array_equal(again, ids)
    told = [
        [(one.id, round(one.score, 4), one.first_frame, one.last_frame) for one in found.objects]
        for found in (parts, whole)
    ]
    assert told[0] == told[1]


def test_carried_objects_take_their_tracks_and_are_carried_on(tmp_path):
    scene = two_that_cross(58)
    _, _, predictor = solved(scene, tmp_path, window=20)
    seams = [window[-1] for window in predictor.opened[:-1]]
    assert len(seams) == 2
    assert [one.carried for one in predictor.objects[:2]] == [seams, seams]
    # The first window's objects are prompted in later ones, but not where these begin.
    for one in predictor.objects[:2]:
        frames = [frame for frame, _ in one.prompts]
        assert {seam + 16 for seam in seams} <= set(frames)
        assert not set(seams) & set(frames)


def test_an_object_that_is_gone_for_long_is_let_go(tmp_path):
    scene = Scene(31, SIZE, [Mover(1, (20, 20), line(31, (5, 5), (1, 0)), tracks=12)])
    scene.labels[9:22] = 0
    scene.visible[:, 9:22] = False
    found, ids, predictor = solved(scene, tmp_path, window=11, patience=10)
    assert [one.members for one in found.objects] == [(1,), (2,)]
    assert [one.carried for one in predictor.objects] == [[10], []]
    assert np.array_equal(ids[:9], scene.labels[:9])
    assert np.array_equal(ids[22:] == 2, scene.labels[22:] == 1)


def test_an_object_that_is_gone_for_a_window_comes_back_under_its_id(tmp_path):
    scene = Scene(31, SIZE, [Mover(1, (20, 20), line(31, (5, 5), (1, 0)), tracks=12)])
    scene.labels[9:22] = 0
    scene.visible[:, 9:22] = False
    found, ids, _ = solved(scene, tmp_path, window=11)
    assert [one.id for one in found.objects] == [1]
    assert np.array_equal(ids, scene.labels)


def test_an_object_that_stands_still_for_a_window_keeps_its_id(tmp_path):
    scene = Scene(31, SIZE, [Mover(1, (20, 20), line(31, (5, 5), (1, 0)), tracks=12)])
    scene.visible[:, 9:22] = False
    found, ids, predictor = solved(scene, tmp_path, window=11)
    assert [one.members for one in found.objects] == [(1, 2)]
    assert np.array_equal(ids, scene.labels)
    assert predictor.objects[0].carried == [10, 20]


def test_lives_reach_over_the_frames_that_windows_share(tmp_path):
    scene = Scene(21, SIZE, [Mover(1, (20, 20), line(21, (5, 5), (1, 0)), tracks=12)])
    scene.visible[:, 8:13] = False
    _, ids, _ = solved(scene, tmp_path, window=11)
    assert np.array_equal(ids, scene.labels)


def test_doubles_do_not_become_more_with_every_window(tmp_path):
    # In each window tracks appear that the carried object cannot claim in its first frame.
    scene = Scene(61, SIZE, [Mover(1, (30, 30), line(61, (5, 5), (1, 0)), tracks=24)])
    for first in range(0, 60, 10):
        scene.visible[12:, first : first + 3] = False
    found, ids, predictor = solved(scene, tmp_path, window=11)
    assert len(predictor.opened) == 6
    assert len(predictor.objects) > 3
    assert sum(len(one.carried) for one in predictor.objects) == 5
    assert [one.id for one in found.objects] == [1]
    assert len(found.objects[0].members) == len(predictor.objects)
    assert np.array_equal(ids, scene.labels)


def test_memory_does_not_grow_with_the_video(tmp_path):
    movers = [Mover(at + 1, (40, 40), line(400, (50 * at, 9), (0, 0.2)), tracks=9) for at in (0, 1)]
    scene = Scene(400, (160, 160), movers)
    tracemalloc.start()
    with MaskStore(tmp_path / "masks", (160, 160)) as store:
        predictor = ScriptedPredictor(scene.labels)
        found = segment(predictor, scene, 400, store, SegmentSettings(window=20))
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.frames for one in found.objects] == [400, 400]
    assert peak < 2e6  # the masks of one object are 10 MB


def test_shared_frames_are_compared_once(tmp_path, monkeypatch):
    compared = []

    class Counting(Overlaps):
        def add(self, names, masks):
            compared.append(len(names))
            super().add(names, masks)

    monkeypatch.setattr("moseg.sam2.segment.Overlaps", Counting)
    scene = two_that_cross(31)
    solved(scene, tmp_path, window=11)
    assert len(compared) == 31


def test_members_that_are_apart_at_the_seam_are_both_carried(tmp_path):
    large = Mover(1, (30, 40), line(21, (2, 20), (0, 0)), tracks=12)
    way = line(21, (70, 30), (0, 0))
    way[:7] = (18, 32)
    small = Mover(2, (8, 8), way, tracks=36)
    scene = Scene(21, SIZE, [large, small])
    scene.labels[:7][scene.labels[:7] == 2] = 3
    predictor = ScriptedPredictor(scene.labels, wholes={1: (1, 3), 2: (2, 3)})
    found, ids, _ = solved(scene, tmp_path, predictor, window=11)
    assert [one.members for one in found.objects] == [(1, 2)]
    assert [one.carried for one in predictor.objects] == [[10], [10]]
    assert np.array_equal(ids, scene.labels > 0)
