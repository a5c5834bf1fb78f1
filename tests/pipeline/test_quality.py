"""The masks are right: compared with the truth of a made-up clip, in place, time and size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from moseg.core.masks import read_mask_png
from moseg.core.progress import Silent
from moseg.pipeline.config import load_config
from moseg.pipeline.session import Session
from tests.media import write_video

FRAMES, HEIGHT, WIDTH = 30, 180, 320
FLOOR = 0.7


def scene(seed=0):
    """Yield frames and truth: a textured square that runs right over a textured, panned ground."""
    random = np.random.default_rng(seed)
    ground = texture(random, HEIGHT, WIDTH + 2 * FRAMES)
    thing = texture(random, 48, 56)[:, :, ::-1] // 2 + 100
    for t in range(FRAMES):
        frame = ground[:, t : t + WIDTH].copy()
        truth = np.zeros((HEIGHT, WIDTH), bool)
        top, left = 40 + t, 30 + 6 * t
        frame[top : top + 48, left : left + 56] = thing
        truth[top : top + 48, left : left + 56] = True
        yield frame, truth


def texture(random, height, width):
    noise = random.normal(0, 1, (height, width, 3)).astype(np.float32)
    coarse = cv2.GaussianBlur(noise, (0, 0), 6) * 500 + cv2.GaussianBlur(noise, (0, 0), 1.2) * 60
    return np.clip(coarse + 110, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "settings",
    [(), ("frames.max_side=240",), ("frames.max_frames=16",), ("flow.pixels=20000",)],
    ids=["as it is", "shrunk", "every second frame", "small working frames"],
)
def test_masks_lie_where_and_when_the_object_is(tmp_path, settings):
    pictures, truth = zip(*scene(), strict=True)
    clip = write_video(tmp_path / "clip.mp4", pictures)
    report = Session((clip,), tmp_path / "out", load_config(settings=settings)).run(
        Silent(), only=["masks"]
    )
    assert report.exit_code == 0
    overlaps = []
    for i in range(1, FRAMES - 1):
        found = read_mask_png(tmp_path / f"out/masks/clip/{i:05d}.png") > 0
        overlaps.append((found & truth[i]).sum() / (found | truth[i]).sum())
    assert np.mean(overlaps) > FLOOR, np.round(overlaps, 2)
    assert min(overlaps) > FLOOR / 2
