"""No stage takes more memory for a longer video.

Each limit lies well under what it would cost to hold one thing of all frames in memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import chain, cycle, islice
from pathlib import Path

import pytest

from moseg.render.video_writer import VideoWriter
from moseg.sample.clip import render_sample
from tests.pipeline.runs import STAGES
from tests.sam2.video.small import save_small_sam2

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.access("/proc/self/clear_refs", os.W_OK), reason="peaks are measured on Linux"
    ),
]

ROOT = Path(__file__).parents[2]


def write_long_clip(path: Path, frames: int, height: int, width: int) -> Path:
    """A short sample clip, played to and fro."""
    there = [frame for frame, _ in render_sample(12, height, width)]
    with VideoWriter(path, height, width, fps=24) as writer:
        for frame in islice(cycle(chain(there, there[-2:0:-1])), frames):
            writer.add(frame)
    return path


def peaks(folder: Path, frames: int, height: int, width: int, *settings: str) -> dict[str, float]:
    """MB of resident memory at the peak of each stage, in a process of its own."""
    clip = write_long_clip(folder / f"{frames}.mp4", frames, height, width)
    out = folder / f"out{frames}"
    program = [sys.executable, "-m", "tests.pipeline.memory_by_stage", clip, out, *settings]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        program, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def growth(
    folder: Path, frames: tuple[int, int], size: tuple[int, int], *settings: str
) -> dict[str, float]:
    """MB that the peak of each stage is higher for the longer clip than for the shorter."""
    short, long = (peaks(folder, count, *size, *settings) for count in frames)
    return {stage: round(long[stage] - short[stage], 1) for stage in STAGES}


@pytest.mark.parametrize(
    ("frames", "size", "setting", "limit"),
    [
        # Of 480 more frames, flow takes 36 MB, tracks 24, evidence 18, working frames 14, labels 8;
        # equal runs differ by up to 3.5 in what the allocator keeps.
        # The labels of 100 frames are held together, so the shorter clip has no fewer.
        pytest.param((110, 590), (72, 128), "tracks.spacing=3", 6.0, id="working-arrays"),
        # Of 80 more frames, full frames take 55 MB, masks at full size 18.
        pytest.param((30, 110), (360, 640), "flow.pixels=2000", 6.0, id="full-frames"),
    ],
)
def test_peaks_do_not_grow_with_the_length(tmp_path, frames, size, setting, limit):
    assert max(growth(tmp_path, frames, size, setting).values()) < limit


def test_sam2_holds_the_features_of_a_window_alone(tmp_path):
    """Of 140 more frames, the features of the small network take 16 MB."""
    small = save_small_sam2(tmp_path / "small")
    settings = "masks.backend=sam2", f"masks.checkpoint={small}", "masks.window=40"
    assert growth(tmp_path, (60, 200), (72, 128), *settings)["masks"] < 6.0
