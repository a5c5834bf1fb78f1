"""What the cases share: settings, clock, memory, frames."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from moseg.core.frame_index import index_frames
from moseg.core.frames import Frames
from moseg.core.scene import Scene

LINES = 480
"""Height of the frames; larger ones are shrunk."""


@dataclass(frozen=True)
class Setting:
    """What all cases share.

    Attributes:
        clip: a video.
        frames: how many of its first frames are used.
        points: query points that are really tracked.
        tracks, window: size of the classifier's input.
        device, precision: where and in which number format.
        size: `small`, `base` or `large` depth network.
    """

    clip: Path
    frames: int
    points: int
    tracks: int
    window: int
    device: str
    precision: str
    size: str


@dataclass
class Measured:
    """Seconds of the parts of a case, and what it computed."""

    seconds: dict[str, float] = field(default_factory=dict)
    output: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))


class Clock:
    """Times parts of a case; waits for the GPU where there is one."""

    def __init__(self, device: str) -> None:
        self.gpu = device.startswith("cuda")

    def time(self, work: Callable[[], object]) -> float:
        """Return the seconds that `work` takes."""
        begin = self.now()
        work()
        return self.now() - begin

    def now(self) -> float:
        """Return a time in seconds; what the GPU was given is done."""
        if self.gpu:
            torch.cuda.synchronize()
        return time.perf_counter()


def run_children(
    script: str, case: str, told: str, runs: int, threads: int
) -> tuple[list[dict[str, Any]], NDArray[np.float32]]:
    """Run a case of a benchmark in processes of its own.

    A process is `script --child case --told told --out FILE --threads threads`; it saves an array
    to FILE and prints a JSON object last.

    Returns:
        The object of each run, and the array of the last.
    """
    done = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.npy"
        command = [sys.executable, script, "--child", case, "--told", told]
        command += ["--out", str(out), "--threads", str(threads)]
        for _ in range(runs):
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            if ended.returncode:
                raise SystemExit(f"{case} failed:\n{ended.stderr}")
            done.append(json.loads(ended.stdout.splitlines()[-1]))
        return done, np.load(out)


def peak_mb(device: str) -> float:
    """Return the peak memory so far: of the GPU where one is used, else of the process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_frames(setting: Setting) -> NDArray[np.uint8]:
    """Return the first frames of the clip at 480 lines, RGB uint8 [T, H, W, 3]."""
    scene = Scene(setting.clip.stem, setting.clip, "video")
    frames = Frames(scene, index_frames(scene))
    width = round(frames.width * LINES / frames.height)
    small = frames.resized(LINES, width) if frames.height > LINES else frames
    return np.stack(list(small.subset(range(setting.frames))))


def per_batch(
    setting: Setting, rgb: Tensor, compute: Callable[[Tensor], Tensor], batch: int
) -> Measured:
    """Time `compute` over batches of frames; once warm, unless there is one batch alone."""
    kept: list[Tensor] = []
    if batch < len(rgb):
        compute(rgb[:1])
    clock, found = Clock(setting.device), Measured()
    found.seconds["frames"] = clock.time(
        lambda: kept.extend(compute(frames) for frames in torch.split(rgb, batch))
    )
    found.output = torch.cat(kept).float().numpy()
    return found
