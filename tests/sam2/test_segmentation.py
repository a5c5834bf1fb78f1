"""Merged objects, their lives, scores and pictures."""

from __future__ import annotations

import numpy as np
import pytest

from moseg.sam2.life import Life
from moseg.sam2.mask_store import MaskStore
from moseg.sam2.merging import Overlaps
from moseg.sam2.segmentation import Segmentation

SIZE = (6, 40)


def columns(first: int, last: int) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[:, first:last] = True
    return mask


def living(first: int, last: int, window: range = range(10)) -> Life:
    life = Life()
    life.add(window, range(first, last + 1))
    return life


@pytest.fixture
def store(tmp_path):
    with MaskStore(tmp_path / "masks", SIZE) as opened:
        yield opened


def joined(*pairs: tuple[int, int]) -> Overlaps:
    overlaps = Overlaps()
    for pair in pairs:
        overlaps.add(pair, [columns(0, 5), columns(0, 5)])
    return overlaps


def test_the_better_score_is_in_front_of_the_smaller_id(store):
    for frame, scores in enumerate([(0.9, 0.6), (0.1, 0.6)]):
        store.put(1, frame, columns(0, 20), scores[0])
        store.put(2, frame, columns(10, 30), scores[1])
    lives = {1: living(0, 1), 2: living(0, 1)}
    found = Segmentation(lives, Overlaps(), store)
    assert found.scores == {1: pytest.approx(0.5), 2: pytest.approx(0.6)}
    # The score is that of the whole life, so the same is in front in every frame.
    for frame in range(2):
        wanted = np.where(columns(10, 30), 2, np.where(columns(0, 20), 1, 0))
        assert np.array_equal(found.paint(frame), wanted)


def test_of_equal_scores_the_smaller_id_is_in_front(store):
    store.put(1, 0, columns(0, 20), 0.5)
    store.put(2, 0, columns(10, 30), 0.5)
    found = Segmentation({1: living(0, 0), 2: living(0, 0)}, Overlaps(), store)
    assert np.array_equal(found.paint(0), np.where(columns(0, 20), 1, 2 * columns(20, 30)))


def test_members_share_masks_lives_and_the_best_score(store):
    for frame in range(10):
        store.put(1, frame, columns(0, 10), 0.5)
        store.put(2, frame, columns(30, 40), 0.9)
        seen = frame > 2
        store.put(4, frame, columns(10, 20) & seen, 0.8 if seen else 0.0)
    lives = {1: living(0, 3), 2: living(0, 9), 4: living(5, 6)}
    found = Segmentation(lives, joined((1, 4)), store)
    assert [(one.id, one.members) for one in found.objects] == [(1, (1, 4)), (2, (2,))]
    first = found.objects[0]
    assert (first.first_frame, first.last_frame, first.frames) == (0, 6, 6)
    assert first.score == pytest.approx((3 * 0.5 + 3 * 0.8) / 6)
    shapes = {0: columns(0, 10), 3: columns(0, 20), 4: columns(0, 0), 6: columns(0, 20)}
    for frame, mask in shapes.items():
        assert np.array_equal(found.paint(frame) == 1, mask), frame


def test_a_member_lends_nothing_to_windows_it_does_not_live_in(store):
    for frame in range(19):
        store.put(1, frame, columns(0, 10), 0.5)
        store.put(2, frame, columns(10, 20), 0.5)
    both = living(0, 9)
    both.add(range(9, 19), range(9, 19))
    found = Segmentation({1: both, 2: living(0, 5)}, joined((1, 2)), store)
    assert np.array_equal(found.paint(8) == 1, columns(0, 20))
    assert np.array_equal(found.paint(12) == 1, columns(0, 10))


def test_objects_without_life_are_none(store):
    store.put(1, 0, columns(0, 10), 0.5)
    store.put(2, 0, columns(10, 20), 0.5)
    found = Segmentation({1: Life(), 2: living(0, 0)}, Overlaps(), store)
    assert [(one.id, one.members) for one in found.objects] == [(1, (2,))]
    assert np.array_equal(found.paint(0), columns(10, 20))


def test_nothing_is_painted_without_objects(store):
    found = Segmentation({}, Overlaps(), store)
    assert (found.objects, found.scores, found.notes) == ((), {}, ())
    assert found.paint(7).dtype == np.uint8
    assert not found.paint(7).any()


def test_of_more_than_255_objects_the_worst_are_left_out(store):
    lives = {}
    for name in range(1, 259):
        store.put(name, name, columns(0, 5), 0.3 if name in (7, 100, 258) else 0.5 + name / 1000)
        lives[name] = living(name, name, range(300))
    found = Segmentation(lives, Overlaps(), store)
    assert [one.id for one in found.objects] == list(range(1, 256))
    members = [name for one in found.objects for name in one.members]
    assert members == [name for name in range(1, 259) if name not in (7, 100, 258)]
    assert found.notes == (
        "3 of 258 objects are left out, those with the lowest scores: masks hold 255",
    )
    assert not found.paint(100).any()
    assert np.array_equal(found.paint(257), 255 * columns(0, 5))
