"""The real command lines, called in this process or in one of their own, and what they said."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from unittest.mock import patch

import cv2
import numpy as np

from moseg.cli import inference, main
from tests.media import RGB

ROOT = Path(__file__).parents[2]
FAST = ("--set", "flow.pixels=3000")
OBJECT_PIXELS = 400
"""Pixels of the object in `good_frames`."""


@dataclass(frozen=True)
class Outcome:
    """Exit code and all that a command printed, also from C libraries."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines that tell of something wrong."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]

    @property
    def notes(self) -> list[str]:
        """The sentences a person should read."""
        return [line for line in self.err.splitlines() if line.startswith("note: ")]

    @property
    def one_line(self) -> str:
        """All of standard error, which must be one line."""
        assert len(self.err.splitlines()) == 1, self.err
        return self.err.rstrip("\n")

    def strays(self, *scenes: str) -> list[str]:
        """The lines on standard error that are neither errors, notes nor of a scene's stages."""
        known = ("error: ", "note: ", *(f"{scene}: " for scene in scenes))
        return [line for line in self.err.splitlines() if not line.startswith(known)]


def moseg(*arguments: object) -> Outcome:
    """Call `moseg` in this process."""
    with patch.object(sys, "argv", ["moseg", *map(str, arguments)]):
        return _call(main.main)


def run_inference(*arguments: object) -> Outcome:
    """Call `run_inference.py` in this process."""
    words = [str(argument) for argument in arguments]
    return _call(lambda: sys.exit(inference.main(words)))


def moseg_alone(
    *arguments: object,
    environment: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
) -> Outcome:
    """Call `moseg` in a process of its own; `before` is put before the command."""
    command = [*before, sys.executable, "-m", "moseg.cli", *map(str, arguments)]
    return _run(command, environment)


def run_inference_alone(*arguments: object) -> Outcome:
    """Call `run_inference.py` as a user does."""
    return _run([sys.executable, str(ROOT / "run_inference.py"), *map(str, arguments)])


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> Outcome:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    done = subprocess.run(command, capture_output=True, check=False, env=variables)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def _call(command: Callable[[], None]) -> Outcome:
    code = 0
    with _captured("stdout", 1) as out, _captured("stderr", 2) as err:
        try:
            command()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return Outcome(code, out.read(), err.read())


@contextlib.contextmanager
def _captured(name: str, descriptor: int) -> Iterator[TextIO]:
    """Catch what Python prints and what C libraries write; rewound when the block ends."""
    # The file stays open for the caller. Only standard error takes any text, as in Python.
    errors = "backslashreplace" if name == "stderr" else "strict"
    file = tempfile.TemporaryFile("w+", encoding="utf-8", errors=errors)  # noqa: SIM115
    saved = os.dup(descriptor)
    os.dup2(file.fileno(), descriptor)
    try:
        with patch.object(sys, name, file):
            yield file
    finally:
        file.flush()
        os.dup2(saved, descriptor)
        os.close(saved)
        file.seek(0)


def good_frames(count: int = 8) -> list[RGB]:
    """Frames of 64x48 pixels on which moseg finds a moving object: a textured square."""
    random = np.random.default_rng(0)

    def texture(height: int, width: int) -> np.ndarray:
        noise = cv2.GaussianBlur(random.normal(size=(height, width, 3)), (0, 0), 1.5)
        return noise / noise.std()

    scenery, thing = texture(48, 64) * 25 + 110, texture(20, 20) * 40 + (200, 60, 60)
    frames = []
    for i in range(count):
        frame = scenery.copy()
        frame[14:34, 4 + 3 * i : 24 + 3 * i] = thing
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
    return frames


def results(out: Path, scene: str) -> dict[str, bytes]:
    """All that `moseg run --out OUT` left of a scene for a person."""
    found = {f"masks/{p.name}": p.read_bytes() for p in (out / "masks" / scene).glob("*")}
    for path in (out / "videos" / f"{scene}.mp4", out / "previews" / f"{scene}.png"):
        if path.is_file():
            found[path.parent.name] = path.read_bytes()
    return found


def left_overs(folder: Path) -> list[Path]:
    """Files that should have been published or removed."""
    return [path for path in folder.rglob("*") if "partial" in path.name or ".old" in path.name]
