"""The benchmark of the masks, on as little as it can be given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from moseg.sample.clip import render_sample
from tests.media import write_video
from tests.sam2.video.small import save_small_sam2

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    pictures = [frame for frame, _ in render_sample(5, 48, 64, 0)]
    clip = write_video(folder / "clip.mp4", pictures)
    small = save_small_sam2(folder / "small")
    return [
        "--clip",
        str(clip),
        "--size",
        str(small),
        "--frames",
        "5",
        "--points",
        "30",
        "--threads",
        "1",
    ]


def rows(*arguments: str) -> list[list[str]]:
    """Run it; return the cells of its tables."""
    command = [sys.executable, str(ROOT / "scripts/benchmark_masks.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_both_ways_make_the_same_masks_with_counted_calls(given):
    table = rows(*given, "--objects", "2", "--cases", "middle")
    reference, ours = table[2], table[3]
    # Five clicks of the grouping on frames 0 to 4, then two objects: frame 2 is encoded for the
    # clicks, 3 and 4 forwards, 2 is at hand as its mask is known, 1 and 0 backwards.
    assert (reference[0], reference[3]) == ("reference", str(5 + 2 * 5))
    assert (ours[0], ours[3]) == ("ours", "5")
    assert reference[6] == "100.00 % equal"
    assert float(ours[6].split()[0]) > 99
    assert [row[:2] for row in table[7:]] == [
        ["reference", "228"],
        ["ours", "100"],
        ["ours, bfloat16", "100"],
    ]


def test_throughput_is_told_by_size_and_number_of_objects(given):
    table = rows(*given, "--throughput", "--objects", "1")
    assert table[0][1:] == ["1 objects"]
    assert "frames/s" in table[2][1]
