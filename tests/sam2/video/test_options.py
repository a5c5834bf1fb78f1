"""Memory, precision and filled holes: what the settings of SAM 2 change."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from moseg.core.device import Device
from moseg.sam2.video import steps
from moseg.sam2.video.settings import VideoSettings
from moseg.sam2.video.steps import filled
from tests.sam2.video.passes import COUNT, FRAMES, POINT, SQUARE, follow, same
from tests.sam2.video.small import predictor


def test_features_on_the_disk_change_nothing(network, tmp_path):
    found = []
    for n, memory in enumerate((1 << 30, 300_000, 0)):
        with predictor(network, FRAMES, tmp_path / str(n), memory_bytes=memory) as video:
            video.open_window(range(COUNT))
            assert len(list((tmp_path / str(n)).glob("*"))) == (0, COUNT - 2, COUNT)[n]
            item = video.new_object()
            item.click(3, POINT)
            found.append(follow(item, range(3, COUNT)) | follow(item, range(3, -1, -1)))
    assert same(found[0], found[1])
    assert same(found[0], found[2])


def test_smaller_batches_are_noted(network, tmp_path, monkeypatch):
    encode = network.get_image_features

    def small_memory(pixels):
        if len(pixels) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return encode(pixels)

    monkeypatch.setattr(network, "get_image_features", small_memory)
    with predictor(network, FRAMES, tmp_path, batch=4) as video:
        assert video.notes == ()
        video.open_window(range(5))
        assert video.features.encoded == 5
        assert video.notes == ("memory did not suffice at frame 0: batches of 2 from there",)


def test_bfloat16_is_near_float32(network, tmp_path):
    found = []
    for precision in ("float32", "bfloat16"):
        device = Device("cpu", precision)
        with predictor(network, FRAMES, tmp_path, device, features=precision) as video:
            video.open_window(range(4))
            item = video.new_object()
            item.click(0, POINT)
            item.draw(3, SQUARE)
            found.append(follow(item, range(4)))
            for output in (*item.session.tracked.values(), *item.session.conditioning.values()):
                assert output["maskmem_pos_enc"].dtype == torch.float32
                assert output["maskmem_features"].dtype == torch.bfloat16
    exact, rough = found
    scale = max(float(mask.abs().max()) for mask, _ in exact.values())
    for frame, (mask, _) in rough.items():
        assert float((mask - exact[frame][0]).abs().mean()) < 0.05 * scale


def test_small_holes():
    mask = torch.full((1, 1, 20, 20), 5.0)
    mask[0, 0, 2, 2:6] = mask[0, 0, 3, 6:10] = -3.0  # 8 cells, joined at a corner
    mask[0, 0, 10, 2:11] = -3.0  # 9 cells
    mask[0, 0, 15, 15] = 0.0
    expected = mask.clone()
    expected[0, 0, 2, 2:6] = expected[0, 0, 3, 6:10] = expected[0, 0, 15, 15] = 0.1
    assert torch.equal(filled(mask), expected)
    assert torch.equal(filled(torch.full((1, 1, 2, 3), 2.0)), torch.full((1, 1, 2, 3), 2.0))


def test_holes_are_filled_in_masks_and_in_the_memory_of_prompts(network, tmp_path, monkeypatch):
    holed = SQUARE.copy()
    holed[15:19, 20:24] = False
    masks, memories = [], []
    for fill, drawn in ((True, holed), (False, SQUARE), (False, holed)):
        with predictor(network, FRAMES, tmp_path, fill_holes=fill) as video:
            video.open_window(range(3))
            item = video.new_object()
            masks.append(item.draw(0, drawn))
            next(iter(item.propagate([0])))
            memories.append(item.session.conditioning[0]["maskmem_features"])
    assert np.array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])
    assert torch.equal(memories[0], memories[1])
    assert not torch.equal(memories[0], memories[2])


def test_memory_of_tracked_frames_keeps_the_holes(network, tmp_path, monkeypatch):
    memories = []
    with predictor(network, FRAMES, tmp_path, fill_holes=True) as video:
        video.open_window(range(3))
        for everything in (False, True):
            item = video.new_object()
            item.click(0, POINT)
            passed = item.propagate(range(3))
            next(passed)
            if everything:
                monkeypatch.setattr(steps, "filled", lambda logits: logits.abs() + 1)
            assert next(passed).mask.all() == everything
            memories.append(item.session.tracked[1]["maskmem_features"])
    assert torch.equal(*memories)


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"max_conditioning": 0}, {"memory_bytes": -1}])
def test_settings_that_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        VideoSettings(**wrong)
