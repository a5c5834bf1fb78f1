"""Runs of the whole pipeline for tests: in this process, or as the real console command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from moseg.pipeline.config import load_config
from moseg.pipeline.place import Place
from moseg.pipeline.report import RunReport
from moseg.pipeline.session import Session
from tests.core.recorder import Recorder

STAGES = (
    "frames", "flow", "depths", "tracks", "dinos", "labels", "masks", "overlay", "preview",
)  # fmt: skip

MOSEG = Path(sys.executable).with_name("moseg")
"""The console command of this environment."""

TIMED = ("run.json", "events.jsonl")
"""Files that hold times, so that two equal runs leave different ones."""

_KILLER = Path(__file__).with_name("killer")


def run(source: Path, out: Path, *settings: str, workers: int = 1) -> tuple[RunReport, Recorder]:
    """Run the pipeline in this process; `settings` are `section.key=value` texts."""
    seen = Recorder()
    config = load_config(settings=settings)
    return Session((source,), out, config, Place(workers=workers)).run(seen), seen


def start(*arguments: object, kill: str | None = None) -> subprocess.Popen[str]:
    """Start the `moseg` command in a process group of its own.

    Args:
        kill: the file operation at which it kills itself, see `killer/sitecustomize.py`.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    if kill is not None:
        path = os.pathsep.join([str(_KILLER), os.environ.get("PYTHONPATH", "")])
        environment |= {"MOSEG_KILL": kill, "PYTHONPATH": path}
    return subprocess.Popen(
        [MOSEG, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
        # It can be interrupted even where these tests run in the background of a shell.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Look again and again; fails when the process ends, or a minute goes by, before it holds."""
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the process ended too soon"
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.001)


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder by path, hidden ones too; a folder's path ends in a slash.

    Files that hold times are left out.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir():
            found[f"{name}/"] = b""
        elif path.name not in TIMED:
            found[name] = path.read_bytes()
    return found
