"""Prompts and passes of SAM 2 behind `Predictor`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.sam2.video.passes import (
    COUNT,
    FRAMES,
    POINT,
    POINTS,
    SQUARE,
    follow,
    library,
    logits,
    same,
)
from tests.sam2.video.small import SIDE, SIZE, predictor, small_sam2


@pytest.mark.parametrize("count", [5, COUNT])
def test_one_prompt_is_followed_as_by_the_library(network, tmp_path, count):
    """Where its own calls do what the reference does; how many frames there are matters."""
    with predictor(network, FRAMES[:count], tmp_path) as video:
        video.open_window(range(count))
        item = video.new_object()
        item.click(3, POINT)
        found = follow(item, range(3, count)) | follow(item, range(3, -1, -1))
    expected = library(network, POINT, 3, count)
    assert sorted(found) == sorted(expected) == list(range(count))
    for frame, mask in expected.items():
        assert torch.allclose(found[frame][0], mask, atol=1e-4)
    masks = torch.stack([mask > 0 for mask in expected.values()]).float()
    assert 0.01 < masks.mean() < 0.99
    assert masks.std(0).amax() > 0


def test_the_encoder_sees_each_frame_once(network, tmp_path):
    seen = []
    hook = network.vision_encoder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with hook, predictor(network, FRAMES, tmp_path, batch=3) as video:
        for window in (range(12), range(11, COUNT)):
            video.open_window(window)
            for frame in window:
                video.click(frame, POINT)
            for n in range(3):
                item = video.new_object()
                item.click(window.start + n, POINTS)
                item.draw(window.start + 5, SQUARE)
                list(item.propagate(range(window.start + n, window.stop)))
                list(item.propagate(range(window.start + n, window.start - 1, -1)))
        assert video.features.encoded == COUNT
    assert sum(map(len, seen)) == COUNT


def test_masks_and_scores(video):
    assert video.size == SIZE
    item = video.new_object()
    mask = item.click(4, POINT)
    assert mask.shape == SIZE
    assert mask.dtype == np.bool_
    passed = list(item.propagate(range(4, 9)))
    assert [p.frame for p in passed] == [4, 5, 6, 7, 8]
    assert np.array_equal(passed[0].mask, mask)
    for prediction, output in (
        (passed[0], item.session.conditioning[4]),
        (passed[-1], item.session.tracked[8]),
    ):
        small = output["pred_masks"]
        full = functional.interpolate(small, SIZE, mode="bilinear", align_corners=False)[0, 0] > 0
        assert np.array_equal(prediction.mask, full)
        score = output["object_score_logits"].sigmoid() * small[small > 0].sigmoid().mean()
        assert prediction.score == pytest.approx(float(score))
        assert 0 < prediction.score < 1


def test_a_second_click_refines_the_first(video):
    item, other = video.new_object(), video.new_object()
    item.click(2, POINT)
    before = logits(item, 2)
    refined = item.click(2, POINTS)
    fresh = other.click(2, POINTS)
    assert not torch.allclose(logits(item, 2), logits(other, 2), atol=1e-3)
    assert refined.shape == fresh.shape
    # Only the mask of the first click matters, not its points.
    third = video.new_object()
    third.click(2, POINT + 1)
    third.session.conditioning[2]["pred_masks"] = before.clamp(-32, 32)
    third.click(2, POINTS)
    assert torch.equal(logits(item, 2), logits(third, 2))


def test_the_mask_that_is_refined_is_cut_off(video):
    sharp, cut = video.new_object(), video.new_object()
    sharp.click(2, POINT)
    large = logits(sharp, 2) * 1000
    assert large.abs().max() > 320
    cut.click(2, POINT)
    sharp.session.conditioning[2]["pred_masks"] = large
    cut.session.conditioning[2]["pred_masks"] = large.clamp(-32, 32)
    sharp.click(2, POINTS)
    cut.click(2, POINTS)
    assert torch.equal(logits(sharp, 2), logits(cut, 2))


def test_points_beside_the_object(video):
    item, other = video.new_object(), video.new_object()
    item.click(2, POINTS, np.array([1, 1, 0], np.int32))
    other.click(2, POINTS)
    assert not torch.allclose(logits(item, 2), logits(other, 2), atol=1e-3)


def test_a_click_for_itself_is_a_first_click_and_disturbs_nobody(video):
    item, other = video.new_object(), video.new_object()
    for each in (item, other):
        each.click(3, POINT)
    first, undisturbed = item.propagate(range(3, 10)), follow(other, range(3, 10))
    found = {}
    for n, prediction in enumerate(first):
        assert np.array_equal(video.click(n, POINTS), video.click(n, POINTS))
        found[prediction.frame] = logits(item, prediction.frame).clone(), prediction.score
    assert same(found, undisturbed)
    assert np.array_equal(video.click(3, POINT), video.new_object().click(3, POINT))


def test_objects_live_beside_each_other(video):
    def prompted():
        items = video.new_object(), video.new_object()
        items[0].click(3, POINT)
        items[1].click(6, POINTS)
        return items

    alone = [follow(item, range(10)) for item in prompted()]
    together = [{}, {}]
    items = prompted()
    for pair in zip(*(item.propagate(range(10)) for item in items), strict=True):
        for item, prediction, seen in zip(items, pair, together, strict=True):
            seen[prediction.frame] = logits(item, prediction.frame).clone(), prediction.score
    assert same(alone[0], together[0])
    assert same(alone[1], together[1])


def test_prompts_ahead_are_seen(video):
    item, other = video.new_object(), video.new_object()
    for each in (item, other):
        each.click(3, POINT)
    shown = item.draw(8, SQUARE)
    found, without = follow(item, range(3, 12)), follow(other, range(3, 12))
    assert not torch.allclose(found[4][0], without[4][0], atol=1e-3)
    assert torch.equal(found[3][0], without[3][0])
    assert np.array_equal(next(iter(item.propagate([8]))).mask, shown)


def test_the_second_pass_sees_the_first(video):
    item, other = video.new_object(), video.new_object()
    for each in (item, other):
        each.click(10, POINT)
    forward = follow(item, range(10, COUNT))
    assert len(forward) == 10
    after, alone = follow(item, range(9, -1, -1)), follow(other, range(9, -1, -1))
    assert not torch.allclose(after[9][0], alone[9][0], atol=1e-3)


def test_the_way_of_a_single_frame(video):
    items = [video.new_object() for _ in range(3)]
    for item in items:
        item.click(10, POINT)
        list(item.propagate(range(10, 15)))
    backwards = follow(items[0], range(9, 8, -1))
    assert same(backwards, follow(items[1], [9]))
    forwards = follow(items[2], range(9, 10))
    assert not torch.equal(backwards[9][0], forwards[9][0])
    assert not list(items[0].propagate([]))


def test_a_drawn_mask(network, video):
    item = video.new_object()
    shown = item.draw(4, SQUARE)
    assert (shown != SQUARE).mean() < 0.03
    output = item.session.conditioning[4]
    pixels = torch.from_numpy(SQUARE)[None, None].float()
    large = functional.interpolate(pixels, (SIDE, SIDE), mode="bilinear", antialias=True)
    levels = video.features.get_vision_features(4)["vision_feats"]
    sizes = network.backbone_feature_sizes
    maps = [
        each.permute(1, 2, 0).view(1, -1, *size) for each, size in zip(levels, sizes, strict=True)
    ]
    expected = network._use_mask_as_output(maps[-1], maps[:-1], (large >= 0.5).float())
    assert torch.allclose(output["pred_masks"], expected.pred_masks, atol=1e-5)
    assert output["object_score_logits"].shape == expected.object_score_logits.shape
    assert output["object_score_logits"].item() == 10
    # The pointer is that of the token for a single mask; the library takes the best of three.
    single = network._single_frame_forward(
        input_masks=network.mask_downsample((large >= 0.5).float()),
        image_embeddings=maps,
        multimask_output=False,
    )
    found = output["object_pointer"]
    assert torch.allclose(found, single.object_pointer, rtol=0, atol=1e-5)
    assert not torch.allclose(found, expected.object_pointer, rtol=0, atol=1e-4)
    prediction = next(iter(item.propagate([4])))
    assert np.array_equal(prediction.mask, shown)
    assert prediction.score > 0.99


def test_an_empty_mask_is_nobody(network, video):
    item = video.new_object()
    assert not item.draw(4, np.zeros(SIZE, np.bool_)).any()
    assert next(iter(item.propagate([4]))).score == 0.0
    pointer = item.session.conditioning[4]["object_pointer"]
    assert torch.equal(pointer[0], network.no_object_pointer)


def test_an_object_that_is_not_there(network, tmp_path):
    gone = small_sam2()
    gone.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(-100.0)
    with predictor(gone, FRAMES, tmp_path) as video:
        video.open_window(range(3))
        item = video.new_object()
        assert not item.click(0, POINT).any()
        assert [(p.mask.any(), p.score) for p in item.propagate(range(3))] == [(False, 0.0)] * 3


def test_what_is_refused(video):
    item = video.new_object()
    with pytest.raises(ValueError, match="without prompts"):
        item.propagate(range(3))
    for points, labels in [(POINT[:0], None), (POINT[0], None), (POINTS, np.ones(2, np.int32))]:
        with pytest.raises(ValueError, match="at least one point"):
            item.click(0, points, labels)
    with pytest.raises(ValueError, match="a mask of"):
        item.draw(0, SQUARE.T)
    item.click(0, POINT)
    list(item.propagate(range(5)))
    for prompt in (lambda: item.click(3, POINT), lambda: item.draw(3, SQUARE)):
        with pytest.raises(ValueError, match="frame 3 was passed already"):
            prompt()
    assert item.click(0, POINT).shape == SIZE
