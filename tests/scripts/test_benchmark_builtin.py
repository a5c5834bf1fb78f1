"""The benchmark of the built-in preset, on a made-up data set in the layout of DAVIS."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from moseg.core.masks import write_mask_png
from moseg.sample.clip import render_sample
from tests.media import write_image

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data(tmp_path):
    images = tmp_path / "JPEGImages/480p/made-up"
    truth = tmp_path / "Annotations/480p/made-up"
    images.mkdir(parents=True)
    truth.mkdir(parents=True)
    for i, (frame, ids) in enumerate(render_sample(8, 96, 160, seed=1)):
        write_image(images / f"{i:05d}.png", frame)
        write_mask_png(truth / f"{i:05d}.png", ids)
    return tmp_path


def test_it_prints_quality_halves_and_speed(data):
    command = [sys.executable, str(ROOT / "scripts/benchmark_builtin.py"), "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = next(line for line in done.stdout.splitlines() if "made-up" in line)
    j, f, labels, dense, sparse = map(float, re.findall(r"\d+\.\d", row))
    assert all(0 <= value <= 100 for value in (j, f, labels, sparse))
    assert dense > 60, "true labels on a grid of 8 pixels must come back as masks"
    for stage in ("frames", "flow", "depths", "tracks", "dinos", "labels", "masks", "as a whole"):
        assert stage in done.stdout
