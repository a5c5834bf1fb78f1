"""Where nothing moves by itself the masks are empty, and a sentence says so."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from moseg.core.masks import read_mask_png
from moseg.sample.write import write_sample
from tests.media import write_video
from tests.pipeline.runs import start

FRAMES, HEIGHT, WIDTH = 20, 180, 320
SENTENCE = "nothing moves: all masks are empty"


def sample_clip(folder, kind):
    return write_sample(folder, kind, FRAMES, HEIGHT, WIDTH).video


def noisy_clip(folder):
    """A still picture under noise of 20 grey levels, new in each frame, as of a dark room."""
    rng = np.random.default_rng(1)
    coarse = rng.uniform(30, 220, (HEIGHT // 12, WIDTH // 12, 3)).astype(np.float32)
    picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    noise = rng.standard_normal((FRAMES, HEIGHT, WIDTH, 3)) * 20
    frames = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return write_video(folder / "sample.mp4", list(frames))


@pytest.mark.parametrize("kind", ["static", "pan", "noisy"])
def test_masks_are_empty_and_a_sentence_says_so(tmp_path, kind):
    clip = noisy_clip(tmp_path) if kind == "noisy" else sample_clip(tmp_path, kind)
    process = start("run", clip, "--out", tmp_path / "out")
    said, told = process.communicate(timeout=120)
    assert process.returncode == 0
    assert f"note: sample: {SENTENCE}" in said + told
    scene = json.loads((tmp_path / "out/run.json").read_text())["scenes"][0]
    assert scene["notes"] == [SENTENCE]
    assert scene["objects"] == []
    masks = sorted((tmp_path / "out/masks/sample").iterdir())
    assert len(masks) == FRAMES
    for path in masks:
        ids = read_mask_png(path)
        assert ids.shape == (HEIGHT, WIDTH)
        assert not ids.any()


def test_where_something_moves_nothing_of_the_kind_is_said(objects_run):
    scene = json.loads((objects_run / "run.json").read_text())["scenes"][0]
    assert scene["notes"] == []
    assert scene["objects"]
