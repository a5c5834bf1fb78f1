"""The driver against the authors' video predictor, on rule-filled weights."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from moseg.core.device import CPU
from moseg.models.foundation.preprocess import DEVIATION, MEAN
from moseg.models.foundation.sam2 import build
from moseg.sam2.video import features as features_module
from moseg.sam2.video.driver import Sam2Predictor
from moseg.sam2.video.pixels import square_levels
from moseg.sam2.video.settings import VideoSettings
from tests.models.foundation.official import cases, filled, step_to

pytestmark = pytest.mark.parity
CASES = cases("sam2_video")
FEATURES = {"rtol": 1e-4, "atol": 1e-4}
LOGITS = {"rtol": 0.0, "atol": 2e-3}
POINTER = {"rtol": 0.0, "atol": 1e-4}
MEMORY = {"rtol": 0.0, "atol": 0.07}


def fixture_pixels(rgb, side, device):
    """What the fixture's network saw: bilinear, without antialias."""
    image = rgb.permute(0, 3, 1, 2) / 255
    square = functional.interpolate(image, (side, side), mode="bilinear", align_corners=False)
    mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
    return (square - mean) / deviation


@pytest.fixture(scope="module", params=CASES)
def scene(request, tmp_path_factory):
    """A network, its features of all frames, and the expected outputs."""
    network = build(filled(request.param.parent.name))
    expected = dict(np.load(request.param))
    frames = expected["in_frames"]
    settings = VideoSettings(features="float32")
    folder = tmp_path_factory.mktemp("features")
    size, count = frames.shape[1:3], len(frames)
    with (
        Sam2Predictor(network, iter(frames), count, size, folder, settings, CPU) as predictor,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(features_module, "sam2_pixels", fixture_pixels)
        predictor.open_window(range(count))
        yield SimpleNamespace(expected=expected, frames=frames, predictor=predictor)


def record(seen, item, frame):
    """Note the output of a frame right after it came, before it is forgotten."""
    conditioning = frame in item.session.conditioning
    output = (item.session.conditioning if conditioning else item.session.tracked)[frame]
    seen[frame] = {"is_cond": conditioning, **output}


def check(seen, expected, case):
    assert sorted(seen) == expected[f"out_{case}_frames"].tolist()
    for n, frame in enumerate(sorted(seen)):
        output = seen[frame]
        logits = output["pred_masks"][0, 0].numpy()
        lowres = expected[f"out_{case}_lowres_sub4"][n]
        step = step_to(len(logits), len(lowres))
        assert np.allclose(logits[::step, ::step], lowres, **LOGITS)
        stats = [logits.mean(), logits.std(), logits.min(), logits.max(), (logits > 0).mean()]
        assert np.allclose(stats, expected[f"out_{case}_lowres_stats"][n], **LOGITS)
        score = output["object_score_logits"].item()
        assert np.allclose(score, expected[f"out_{case}_score"][n], **POINTER)
        pointer = output["object_pointer"].flatten().numpy()
        assert np.allclose(pointer, expected[f"out_{case}_ptr"][n], **POINTER)
        memory = maps(output["maskmem_features"])
        assert close_by_step(memory, expected[f"out_{case}_mem_sub8"][n], MEMORY)
        assert output["is_cond"] == expected[f"out_{case}_is_cond"][n]


def maps(cells):
    """Cells [h * w, 1, C] as maps [C, h, w]."""
    side = round(len(cells) ** 0.5)
    return cells[:, 0].T.float().reshape(-1, side, side).numpy()


def close_by_step(found, expected, tolerance):
    step = step_to(found.shape[-1], expected.shape[-1])
    return np.allclose(found[:, ::step, ::step], expected, **tolerance)


def test_resized_frame(scene):
    expected = scene.expected["out_pil1024_sub16"]
    levels = square_levels(torch.from_numpy(scene.frames[:1]), 1024)[0].permute(1, 2, 0).numpy()
    step = step_to(len(levels), len(expected))
    difference = levels[::step, ::step].astype(int) - expected.astype(int)
    assert abs(difference).max() <= 2


def test_image_features_and_positions(scene):
    found = scene.predictor.features.get_vision_features(0)
    for n, level in enumerate(found["vision_feats"]):
        assert close_by_step(maps(level), scene.expected[f"out_feat{n}_sub"], FEATURES)
        values = level.numpy()
        stats = [values.mean(), values.std(), abs(values).max()]
        assert np.allclose(stats, scene.expected[f"out_feat{n}_stats"], **FEATURES)
    positions = maps(found["vision_pos_embeds"][-1])
    assert close_by_step(positions, scene.expected["out_pos2_sub"], FEATURES)


def test_two_objects_with_prompts_on_different_frames(scene):
    """Case A is the first object of case C."""
    expected, predictor = scene.expected, scene.predictor
    first, second = predictor.new_object(), predictor.new_object()
    shown = first.click(0, expected["in_A_points"], expected["in_A_labels"])
    logits = expected["out_A_prompt_video_logits_sub2"]
    step = step_to(len(shown), len(logits))
    sure = abs(logits) > LOGITS["atol"]
    assert np.array_equal(shown[::step, ::step][sure], (logits > 0)[sure])
    prompted = int(expected["in_C_frame_obj2"])
    second.click(prompted, expected["in_C_points_obj2"], expected["in_C_labels_obj2"])
    seen, seen_second = {}, {}
    everything = range(len(scene.frames))
    pairs = zip(first.propagate(everything), second.propagate(everything), strict=True)
    for prediction, _ in pairs:
        record(seen, first, prediction.frame)
        record(seen_second, second, prediction.frame)
    check(seen, expected, "A")
    check(seen, expected, "C_obj1")
    check(seen_second, expected, "C_obj2")


def test_refined_prompt_then_both_directions(scene):
    expected = scene.expected
    item = scene.predictor.new_object()
    start = int(expected["out_B_fwd_frames"][0])
    item.click(start, expected["in_B_points_first"], expected["in_B_labels_first"])
    item.click(start, expected["in_B_points_second"], expected["in_B_labels_second"])
    item.click(int(expected["in_B_third_frame"]), expected["in_B_points_third"])
    seen = {}
    for prediction in item.propagate(range(start, len(scene.frames))):
        record(seen, item, prediction.frame)
    check(seen, expected, "B_fwd")
    for prediction in item.propagate(range(start, -1, -1)):
        record(seen, item, prediction.frame)
    check(seen, expected, "B_rev")
