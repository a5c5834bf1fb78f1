"""The benchmark of the networks, on as little as it can be given."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from moseg.sample.clip import render_sample
from tests.media import write_video

ROOT = Path(__file__).parents[2]


def test_tracks_and_labels_are_timed_and_compared(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", [frame for frame, _ in render_sample(4, 48, 64, 0)])
    command = [sys.executable, str(ROOT / "scripts/benchmark_stages.py"), "--clip", str(clip)]
    command += ["--frames", "2", "--points", "3", "--tracks", "12", "--window", "4"]
    done = subprocess.run(
        [*command, "--stages", "tracks,labels"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 5
    away = re.search(r"([0-9.e-]+) px", rows[1])
    assert away
    assert float(away[1]) < 0.01
