"""The benchmark of `moseg eval`, on a small part of its trees."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from moseg.core.masks import write_mask_png
from moseg.sample.clip import render_sample

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_prints_a_row_a_case_and_the_ratio(tmp_path: Path) -> None:
    truth = tmp_path / "Annotations/480p/made-up"
    truth.mkdir(parents=True)
    for number, (_, ids) in enumerate(render_sample(4, 96, 160, seed=1)):
        write_mask_png(truth / f"{number:05d}.png", ids)
    command = [sys.executable, str(ROOT / "scripts/benchmark_evaluation.py")]
    options = ["--data", str(tmp_path), "--share", "0.07", "--runs", "1"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    rows = re.findall(
        r"^\| ([a-z0-9-]+), .* \| (\d+) \| [\d.]+ s \| [\d.]+ ms \| (\d+) MB", done.stdout, re.M
    )
    assert [(case, int(frames)) for case, frames, _ in rows] == [
        ("davis16", 98),
        ("davis17-unsupervised", 98),
        ("davis16", 4),
        ("davis16", 140),
    ]
    assert re.search(r"for every pair: [\d.]+x the time", done.stdout)
