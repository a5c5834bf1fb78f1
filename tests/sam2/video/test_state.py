"""What is remembered of an object: enough, and no more the longer the video."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from moseg.sam2.video.state import ObjectSession
from tests.sam2.video.passes import POINT, POINTS, follow, same
from tests.sam2.video.small import SIZE, moving_frames, predictor

EMPTY = np.zeros(SIZE, np.bool_)
COUNT = 48


@pytest.fixture(scope="module")
def video(network, tmp_path_factory):
    frames = moving_frames(COUNT)
    with predictor(network, frames, tmp_path_factory.mktemp("f"), batch=8) as found:
        found.open_window(range(COUNT))
        yield found


def keep_everything(monkeypatch):
    monkeypatch.setattr(ObjectSession, "forget", lambda *_: None)


def held(item):
    """Tensors that an object holds: how many, and their bytes."""
    outputs = [*item.session.tracked.values(), *item.session.conditioning.values()]
    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for output in outputs
        for tensor in output.values()
    }
    return sum(map(len, outputs)), len(storages), sum(storages.values())


@pytest.mark.parametrize("start", [0, 20])
def test_what_is_dropped_is_never_read(video, monkeypatch, start):
    """Forward from `start` and, for the frames before the first prompt, back."""

    def both_passes():
        item = video.new_object()
        item.click(20, POINT)
        item.click(24, POINTS)
        first = follow(item, range(start, COUNT))
        return first, follow(item, range(20, -1, -1)), held(item)

    forward, back, few = both_passes()
    keep_everything(monkeypatch)
    expected_forward, expected_back, all_frames = both_passes()
    assert same(forward, expected_forward)
    assert same(back, expected_back)
    assert all(one < other for one, other in zip(few, all_frames, strict=True))


def test_back_then_forward(video, monkeypatch):
    def both_passes():
        item = video.new_object()
        item.click(24, POINT)
        return follow(item, range(24, -1, -1)), follow(item, range(25, COUNT))

    found = both_passes()
    keep_everything(monkeypatch)
    expected = both_passes()
    assert same(found[0], expected[0])
    assert same(found[1], expected[1])


def test_memory_of_an_object_is_bounded(network, tmp_path):
    frames = moving_frames(220)
    with predictor(network, frames, tmp_path, batch=10) as video:
        video.open_window(range(len(frames)))
        found = []
        for length in (40, 200):
            item = video.new_object()
            item.click(0, POINT)
            item.click(7, POINTS)
            list(item.propagate(range(length)))
            found.append(held(item))
    assert found[0] == found[1]
    memory = item.session.conditioning[0]["maskmem_features"].nbytes
    mask = item.session.conditioning[0]["pred_masks"].nbytes
    # Two prompts, 6 frames around the last, 6 after the first less a prompt, one set of positions.
    assert found[1][2] < 16 * memory + 4 * mask + 40 * 600


def test_after_a_window_the_object_goes_on(network, tmp_path, monkeypatch):
    """Also where the last pass through the window went back."""
    frames = moving_frames(70)

    def windows(name):
        with predictor(network, frames, tmp_path / name, max_conditioning=2) as video:
            item = video.new_object()
            video.open_window(range(31))
            item.click(14, POINT)
            item.click(18, POINTS)
            found = follow(item, range(14, 31)) | follow(item, range(13, -1, -1))
            item.carry(30)
            sizes = []
            for first in (30, 40, 50, 60):
                last = min(first + 10, 69)
                video.open_window(range(first, last + 1))
                found |= follow(item, range(first + 1, last + 1))
                item.carry(last)
                sizes.append(held(item))
            return found, sizes, item.session

    found, sizes, session = windows("a")
    assert sorted(session.conditioning) == [50, 60, 69]
    assert session.tracked.keys() == set(range(55, 69)) - {60}
    assert sorted(found) == list(range(70))
    assert sizes[1] == sizes[2]
    keep_everything(monkeypatch)
    expected, more, _ = windows("b")
    assert same(found, expected)
    assert more[2] > sizes[2]


def test_a_carried_mask_is_a_prompt(network, tmp_path):
    """Its memory is that of a mask in black and white, not of a tracked one."""
    with predictor(network, moving_frames(20), tmp_path) as video:
        video.open_window(range(11))
        item = video.new_object()
        item.click(4, POINT)
        list(item.propagate(range(4, 11)))
        tracked = dict(item.session.tracked[10])
        item.carry(10)
        carried = item.session.conditioning[10]
        assert 10 not in item.session.tracked
        assert torch.equal(carried["object_pointer"], tracked["object_pointer"])
        assert not torch.equal(carried["maskmem_features"], tracked["maskmem_features"])
        video.open_window(range(10, 20))
        again = video.new_object()
        again.session.conditioning[10] = {**tracked}
        again._steps.remember(again.session, 10)
        memory = again.session.conditioning[10]["maskmem_features"]
        assert torch.equal(carried["maskmem_features"], memory)
        shown = video._steps.mask(carried)
        assert np.array_equal(next(iter(item.propagate([10]))).mask, shown)
        before = carried["pred_masks"].clone()
        item.click(10, POINTS)
        assert not torch.equal(item.session.conditioning[10]["pred_masks"], before)
        assert len(list(item.propagate(range(11, 20)))) == 9


def test_an_object_that_is_not_seen_at_the_end_of_a_window(network, tmp_path):
    with predictor(network, moving_frames(20), tmp_path) as video:
        video.open_window(range(11))
        item = video.new_object()
        item.click(4, POINT)
        list(item.propagate(range(4, 11)))
        output = item.session.tracked[10]
        output["pred_masks"] = torch.full_like(output["pred_masks"], -1024.0)
        item.carry(10)
        assert sorted(item.session.conditioning) == [4]
        assert 10 in item.session.tracked
        assert len(list(item.propagate(range(11, 11)))) == 0
        video.open_window(range(10, 20))
        item.click(10, POINT)
        assert 10 not in item.session.tracked
        assert len(list(item.propagate(range(11, 20)))) == 9


def test_prompts_never_followed_are_carried(network, tmp_path):
    with predictor(network, moving_frames(20), tmp_path) as video:
        video.open_window(range(11))
        item, nobody = video.new_object(), video.new_object()
        item.click(10, POINT)
        item.carry(10)
        nobody.carry(10)
        video.open_window(range(11, 20))
        assert [p.frame for p in item.propagate(range(11, 14))] == [11, 12, 13]
        with pytest.raises(ValueError, match="without prompts"):
            nobody.propagate(range(11, 14))
        nobody.click(15, POINT)
        assert len(list(nobody.propagate(range(15, 20)))) == 5


def test_frames_of_a_former_window_cannot_be_prompted(network, tmp_path):
    with predictor(network, moving_frames(20), tmp_path) as video:
        video.open_window(range(11))
        video.open_window(range(10, 20))
        for prompt in (lambda: video.click(3, POINT), lambda: video.new_object().draw(3, EMPTY)):
            with pytest.raises(ValueError, match="frame 3 is not in the open window"):
                prompt()


def test_a_scene_of_one_frame(network, tmp_path):
    with predictor(network, moving_frames(1), tmp_path) as video:
        video.open_window(range(1))
        item = video.new_object()
        mask = item.click(0, POINT)
        for frames in (range(1), range(0, -1, -1), [0]):
            assert np.array_equal(next(iter(item.propagate(frames))).mask, mask)
        item.carry(0)
