"""EdgeTAM behind the driver of SAM 2; a few convolutions stand in for its image encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers.models.edgetam_video.modeling_edgetam_video import EdgeTamVideoInferenceSession

from moseg.checkpoints.weights import read_weights
from moseg.core.device import Device
from moseg.core.errors import BackendError
from moseg.models.foundation import edgetam
from moseg.sam2.video.backend import Sam2Masks, Sam2Params
from moseg.sam2.video.families import EdgeTam, Sam2, family_of
from moseg.sam2.video.state import ObjectSession
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
from tests.sam2.video.small import SIDE, SIZE, moving_frames, predictor, small_edgetam, small_sam2


@pytest.fixture(scope="module")
def network():
    return small_edgetam()


@pytest.mark.parametrize("first", [0, 3])
def test_one_prompt_is_followed_as_by_the_library(network, tmp_path, first):
    with predictor(network, FRAMES, tmp_path) as video:
        video.open_window(range(COUNT))
        item = video.new_object()
        item.click(first, POINT)
        found = follow(item, range(first, COUNT)) | follow(item, range(first, -1, -1))
    expected = library(network, POINT, first, COUNT, EdgeTamVideoInferenceSession)
    assert sorted(found) == sorted(expected) == list(range(COUNT))
    for frame, mask in expected.items():
        assert torch.allclose(found[frame][0], mask, rtol=0, atol=1e-5)
    masks = torch.stack(list(expected.values()))
    assert 0.01 < (masks > 0).float().mean() < 0.99
    assert (masks > 0).float().std(0).amax() > 0
    assert (masks[1:] - masks[:-1]).abs().amax() > 0.1


def test_memories_have_the_positions_that_the_library_gives_them(network, video):
    item = video.new_object()
    item.click(3, POINT)
    list(item.propagate(range(3, 6)))
    outputs = [item.session.conditioning[3], item.session.tracked[5]]
    expected, positions = network._encode_new_memory(
        video.features.get_vision_features(3)["vision_feats"][-1],
        functional.interpolate(outputs[0]["pred_masks"], (SIDE, SIDE), mode="bilinear"),
        outputs[0]["object_score_logits"],
        is_mask_from_pts=True,
    )
    assert torch.equal(outputs[0]["maskmem_features"], expected)
    assert expected.shape == positions.shape == (1, 8 + 16, 64)
    assert positions.abs().amax() > 0.5
    for output in outputs:
        assert torch.equal(output["maskmem_pos_enc"], positions)
        assert output["maskmem_pos_enc"] is outputs[0]["maskmem_pos_enc"]
        assert output["object_score_logits"].shape == (1, 1, 1)


def test_a_frame_is_remembered_once(network, video):
    seen = []
    with network.memory_encoder.register_forward_hook(lambda *_: seen.append(1)):
        item = video.new_object()
        item.click(3, POINT)
        item.click(3, POINTS)
        assert not seen
        list(item.propagate(range(3, 8)))
    assert len(seen) == 5


def test_the_encoder_sees_each_frame_once(network, tmp_path):
    seen = []
    hook = network.vision_encoder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with hook, predictor(network, FRAMES, tmp_path, batch=3) as video:
        for window in (range(12), range(11, COUNT)):
            video.open_window(window)
            for n in range(2):
                video.click(window.start, POINT)
                item = video.new_object()
                item.click(window.start + n, POINTS)
                item.draw(window.start + 5, SQUARE)
                list(item.propagate(range(window.start + n, window.stop)))
                list(item.propagate(range(window.start + n, window.start - 1, -1)))
        assert video.features.encoded == COUNT
    assert sum(map(len, seen)) == COUNT


def test_a_second_click_refines_the_first(video):
    item, other = video.new_object(), video.new_object()
    item.click(2, POINT)
    item.click(2, POINTS)
    other.click(2, POINTS)
    assert not torch.allclose(logits(item, 2), logits(other, 2), atol=1e-3)


def test_a_drawn_mask(network, video):
    item = video.new_object()
    shown = item.draw(4, SQUARE)
    assert (shown != SQUARE).mean() < 0.03
    pixels = torch.from_numpy(SQUARE)[None, None].float()
    large = functional.interpolate(pixels, (SIDE, SIDE), mode="bilinear", antialias=True)
    levels = video.features.get_vision_features(4)["vision_feats"]
    maps = [
        each.permute(1, 2, 0).view(1, -1, *size)
        for each, size in zip(levels, network.backbone_feature_sizes, strict=True)
    ]
    expected = network._use_mask_as_output(maps[-1], maps[:-1], (large >= 0.5).float())
    output = item.session.conditioning[4]
    assert torch.allclose(output["pred_masks"], expected.pred_masks, atol=1e-5)
    assert output["object_score_logits"].shape == (1, 1, 1)
    assert output["object_score_logits"].item() == 10
    assert output["object_pointer"].shape == expected.object_pointer.shape
    assert np.array_equal(next(iter(item.propagate([4]))).mask, shown)
    assert not item.draw(6, np.zeros(SIZE, np.bool_)).any()
    pointer = item.session.conditioning[6]["object_pointer"]
    assert torch.equal(pointer[0], network.no_object_pointer)


def test_prompts_ahead_and_the_first_pass_are_seen(video):
    item, other, alone = (video.new_object() for _ in range(3))
    for each in (item, other, alone):
        each.click(6, POINT)
    item.draw(12, SQUARE)
    found, without = follow(item, range(6, 16)), follow(other, range(6, 16))
    assert not torch.allclose(found[7][0], without[7][0], atol=1e-3)
    back, unseen = follow(other, range(5, -1, -1)), follow(alone, range(5, -1, -1))
    assert not torch.allclose(back[5][0], unseen[5][0], atol=1e-3)


def test_what_is_dropped_is_never_read_also_beyond_a_seam(network, tmp_path, monkeypatch):
    frames = moving_frames(44)

    def windows(name):
        with predictor(network, frames, tmp_path / name, batch=8, max_conditioning=1) as video:
            item = video.new_object()
            video.open_window(range(25))
            item.click(8, POINT)
            item.draw(12, SQUARE)
            found = follow(item, range(8, 25)) | follow(item, range(7, -1, -1))
            item.carry(24)
            video.open_window(range(24, 44))
            found |= follow(item, range(25, 44))
            return found, item.session

    found, session = windows("a")
    assert sorted(found) == list(range(44))
    assert sorted(session.conditioning) == [12, 24]
    assert min(session.tracked) > 24
    monkeypatch.setattr(ObjectSession, "forget", lambda *_: None)
    expected, whole = windows("b")
    assert same(found, expected)
    assert len(whole.tracked) > len(session.tracked)


def test_bfloat16_is_near_float32(network, tmp_path):
    found = []
    for precision in ("float32", "bfloat16"):
        device = Device("cpu", precision)
        with predictor(network, FRAMES, tmp_path, device, features=precision) as video:
            video.open_window(range(5))
            item = video.new_object()
            item.click(0, POINT)
            item.draw(3, SQUARE)
            found.append(follow(item, range(5)))
            assert item.session.tracked[4]["maskmem_pos_enc"].dtype == torch.float32
    exact, rough = found
    scale = max(float(mask.abs().max()) for mask, _ in exact.values())
    for frame, (mask, _) in rough.items():
        assert float((mask - exact[frame][0]).abs().mean()) < 0.05 * scale


def test_the_family_is_told_by_the_network(network):
    assert type(family_of(network)) is EdgeTam
    assert type(family_of(small_sam2())) is Sam2


def test_the_stage_takes_edgetam_and_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(edgetam, "is_timm_available", lambda: False)
    torch.save({"model": {edgetam.MARK: torch.ones(1)}}, tmp_path / "edgetam.pt")
    backend = Sam2Masks(Sam2Params())
    with pytest.raises(BackendError, match=r"edgetam\.pt: EdgeTAM needs timm and torchvision: pip"):
        backend.build(read_weights(tmp_path / "edgetam.pt"))


def test_the_stage_says_which_networks_it_takes(tmp_path):
    torch.save({"torch_pips_mixer.a": torch.ones(1)}, tmp_path / "a.pt")
    with pytest.raises(BackendError) as caught:
        Sam2Masks(Sam2Params(checkpoint=str(tmp_path / "a.pt"))).check()
    assert str(caught.value) == (
        f"{tmp_path / 'a.pt'} is a checkpoint of tapir; stage masks needs one of SAM 2 or EdgeTAM"
    )
