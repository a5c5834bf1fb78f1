"""Scenes a minute of the built-in preset: on Ray with one and two workers, and without Ray."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from moseg.core.layout import output_layout
from moseg.core.progress import Event, Listener
from moseg.core.scene import find_scenes
from moseg.pipeline.config import load_config
from moseg.pipeline.place import Place
from moseg.pipeline.session import make_plan
from moseg.sample.write import write_sample

WAYS = {
    "without Ray, 1 process": Place(workers=1),
    "without Ray, 2 processes": Place(workers=2),
    "Ray, 1 worker": Place(ray="local", workers=1),
    "Ray, 2 workers": Place(ray="local", workers=2),
}


@dataclass(frozen=True)
class Clips:
    """How many scenes, and their size."""

    scenes: int
    frames: int
    height: int
    width: int


@dataclass(frozen=True)
class Speed:
    """Seconds of one run.

    Attributes:
        whole: with Python, imports and Ray's start and end.
        working: from the first begun stage to the last scene.
        steady: for each scene, without the first and the last ones.
    """

    whole: float
    working: float
    steady: float


class SceneTimes(Listener):
    """Notes when the first stage begins and when scenes end."""

    def __init__(self) -> None:
        self.begun: float | None = None
        self.ended: list[float] = []

    def handle(self, event: Event) -> None:
        """See `Listener.handle`."""
        if event.kind == "start" and self.begun is None:
            self.begun = time.perf_counter()
        if event.kind == "scene":
            self.ended.append(time.perf_counter())


def write_clips(folder: Path, clips: Clips) -> None:
    """Write made-up videos of one size, with different contents."""
    for i in range(clips.scenes):
        with TemporaryDirectory(dir=folder) as working:
            size = (clips.frames, clips.height, clips.width)
            made = write_sample(Path(working), "objects", *size, seed=i)
            made.video.rename(folder / f"scene-{i:02d}.mp4")


def measure_scaling(clips: Clips, rounds: int, script: str) -> dict[str, Speed]:
    """Run each way `rounds` times, in turn and in processes of their own; return the medians."""
    found: dict[str, list[Speed]] = {way: [] for way in WAYS}
    with TemporaryDirectory() as folder:
        videos = Path(folder) / "videos"
        videos.mkdir()
        write_clips(videos, clips)
        for number in range(rounds):
            for way in WAYS:
                out = Path(folder) / f"{number}-{way}"
                found[way].append(_in_a_process(script, way, videos, out))
                print(f"{way}: {found[way][-1]}", file=sys.stderr, flush=True)
    return {way: _medians(speeds) for way, speeds in found.items()}


def child(way: str, videos: Path, out: Path) -> dict[str, float]:
    """Run one way here; return seconds."""
    scenes, _ = find_scenes((videos,))
    times = SceneTimes()
    with WAYS[way].open() as runner:
        devices = runner.devices("cpu", "float32")
        plan = make_plan(load_config(), output_layout(out), devices=devices)
        results = runner.run(plan, scenes, times)
    failed = [result.failure.reason for result in results if result.failure]
    if failed:
        raise SystemExit(failed[0])
    assert times.begun is not None
    skipped = max(1, len(scenes) // 6)
    middle = times.ended[skipped - 1 : len(scenes) - skipped]
    return {
        "working": times.ended[-1] - times.begun,
        "steady": (middle[-1] - middle[0]) / (len(middle) - 1),
    }


def _in_a_process(script: str, way: str, videos: Path, out: Path) -> Speed:
    command = [sys.executable, script, "--child", way, "--videos", str(videos), "--out", str(out)]
    begin = time.perf_counter()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    whole = time.perf_counter() - begin
    if ended.returncode:
        raise SystemExit(f"{way} failed:\n{ended.stderr}")
    return Speed(whole, **json.loads(ended.stdout.splitlines()[-1]))


def _medians(speeds: Sequence[Speed]) -> Speed:
    return Speed(
        median(speed.whole for speed in speeds),
        median(speed.working for speed in speeds),
        median(speed.steady for speed in speeds),
    )
