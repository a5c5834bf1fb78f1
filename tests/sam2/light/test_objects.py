"""Object ids over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moseg.sam2.light.nearest import nearest_label
from moseg.sam2.light.objects import ObjectSettings, ObjectTracker
from tests.sam2.light.scenes import DiscClip, disc, line


def track(
    clip: DiscClip,
    hidden: frozenset[int] = frozenset(),
    extra: dict[int, NDArray[np.bool_]] | None = None,
    settings: ObjectSettings | None = None,
) -> list[NDArray[np.uint8]]:
    """Final ids of every frame from the true foreground."""
    tracker, provisional = ObjectTracker(settings), []
    for index in range(len(clip)):
        foreground = clip.owner(index) > 0
        if index in hidden:
            foreground = np.zeros_like(foreground)
        if extra and index in extra:
            foreground = foreground | extra[index]
        backward = clip.backward(index - 1) if index else None
        reverse = clip.forward(index - 1) if index else None
        motion = clip.forward(index) if index + 1 < len(clip) else backward
        provisional.append(tracker.update(foreground, backward, reverse, motion))
    table = tracker.table()
    return [table[ids] for ids in provisional]


def main_id(ids: NDArray[np.uint8], region: NDArray[np.bool_]) -> tuple[int, float]:
    """The commonest id in a region, and its share of it."""
    counts = np.bincount(ids[region], minlength=256)
    return int(counts.argmax()), float(counts.max() / counts.sum())


def test_two_discs_that_cross_keep_their_ids() -> None:
    clip = DiscClip([line((20, 34), (4, 0), 20), line((100, 46), (-4, 0), 20)])
    for index, ids in enumerate(track(clip)):
        owner = clip.owner(index)
        one, share_one = main_id(ids, owner == 1)
        two, share_two = main_id(ids, owner == 2)
        assert {one, two} == {1, 2}
        assert min(share_one, share_two) > 0.85
        first = track(clip)[0]
        assert one == main_id(first, clip.owner(0) == 1)[0]


def test_touching_discs_that_move_apart_are_parted_by_motion() -> None:
    clip = DiscClip([line((46, 40), (-2, 0), 12), line((72, 40), (2, 0), 12)])
    ids = track(clip)[8]
    owner = clip.owner(8)
    one, share_one = main_id(ids, owner == 1)
    two, share_two = main_id(ids, owner == 2)
    assert one != two
    assert min(share_one, share_two) > 0.9


def test_a_nearing_object_is_not_parted() -> None:
    size, ids = (80, 120), []
    tracker = ObjectTracker()
    y, x = np.mgrid[: size[0], : size[1]]
    for index in range(10):
        radius = 12 + 2 * index
        flow = np.stack([(x - 60) * 2 / radius, (y - 40) * 2 / radius], axis=2).astype(np.float32)
        backward = -flow if index else None
        ids.append(tracker.update(disc(size, (60, 40), radius), backward, flow, flow))
    table = tracker.table()
    assert {int(i) for frame in ids for i in np.unique(table[frame])} == {0, 1}


def test_an_id_survives_a_gap_of_one_frame() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 12)])
    ids = track(clip, hidden=frozenset({5}))
    assert not ids[5].any()
    assert {int(i) for frame in ids for i in np.unique(frame)} == {0, 1}


def test_a_gap_beyond_the_limit_ends_an_id() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 20)])
    ids = track(clip, hidden=frozenset(range(7, 14)))
    assert set(np.unique(ids[6])) == {0, 1}
    assert set(np.unique(ids[14])) == {0, 2}


def test_an_object_split_by_a_pole_keeps_one_id() -> None:
    clip = DiscClip([line((30, 80), (4, 0), 20)], size=(160, 240))
    pole = np.zeros(clip.size, bool)
    pole[:, 58:64] = True
    still = ~pole[..., None]
    tracker, provisional = ObjectTracker(), []
    for index in range(len(clip)):
        backward = clip.backward(index - 1) * still if index else None
        reverse = clip.forward(index - 1) * still if index else None
        motion = clip.forward(index) * still if index + 1 < len(clip) else backward
        foreground = (clip.owner(index) > 0) & ~pole
        provisional.append(tracker.update(foreground, backward, reverse, motion))
    table = tracker.table()
    assert {int(i) for ids in provisional for i in np.unique(table[ids])} == {0, 1}


def test_a_piece_that_comes_out_beside_an_object_takes_its_id() -> None:
    size, still = (160, 240), np.zeros((160, 240, 2), np.float32)
    body, piece, far = disc(size, (60, 80), 20), disc(size, (92, 80), 6), disc(size, (180, 80), 6)
    tracker = ObjectTracker(ObjectSettings(shortest_life=1, patience=100))
    first = tracker.update(body, still, still, still)
    second = tracker.update(body | piece | far, still, still, still)
    table = tracker.table()
    assert set(np.unique(table[first])) == {0, 1}
    assert set(np.unique(table[second][piece])) == {1}
    assert set(np.unique(table[second][far])) == {2}


def test_specks_and_brief_blobs_are_removed() -> None:
    clip = DiscClip([line((20, 40), (3, 0), 20)])
    extra = {i: disc(clip.size, (100, 8), 0.5) for i in range(20)}
    extra[9] = extra[9] | disc(clip.size, (100, 60), 8)
    for index, ids in enumerate(track(clip, extra=extra)):
        assert not ids[extra.get(index, np.zeros(clip.size, bool)) & (clip.owner(index) == 0)].any()


def test_ids_stay_the_same_over_a_long_video() -> None:
    turn = [(60 + 30 * np.cos(i / 15), 40 + 20 * np.sin(i / 15)) for i in range(600)]
    ids = track(DiscClip([turn]))
    assert all(set(np.unique(frame)) == {0, 1} for frame in ids)


def test_more_than_255_objects_share_the_last_id() -> None:
    tracker = ObjectTracker(ObjectSettings(shortest_life=1, longest_gap=0))
    flow = np.full((40, 40, 2), 100, np.float32)
    provisional = [
        tracker.update(disc((40, 40), (20, 20), 8), flow, flow, None) for _ in range(300)
    ]
    table = tracker.table()
    seen = [int(table[ids].max()) for ids in provisional]
    assert seen == [min(i + 1, 255) for i in range(300)]


def test_nearest_label_fills_up_to_the_limit() -> None:
    labels = np.zeros((1, 12), np.uint16)
    labels[0, 1], labels[0, 9] = 4, 300
    assert nearest_label(labels, 2.0).tolist() == [[4, 4, 4, 4, 0, 0, 0, 300, 300, 300, 300, 300]]
