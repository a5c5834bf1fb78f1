"""Real commands on Ray: started, looked at from outside, and cleared away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from tests.pipeline.runs import MOSEG

ROOT = Path(__file__).parents[2]

SETTINGS = ("--set", "flow.pixels=3000")
ON_RAY = ("--ray", "local", "--workers", 2)

PATIENCE = 55
"""Seconds that a run of tiny clips has: less than a claim of another machine takes to go stale."""

AGENTS = {"ray::DashboardAgent", "ray::RuntimeEnvAgent"}
"""Ray's own helpers on a node. When it is killed they try for a minute to tell of it, then end."""


class Run:
    """A command in a session of its own."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**_without_ray(os.environ), "OMP_NUM_THREADS": "1", **environment},
            start_new_session=True,
            # It can be interrupted even where these tests run in the background of a shell.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.told = ""

    def wait(self, seconds: float = PATIENCE) -> int:
        """Return the exit code when the command has ended; `told` is its standard error."""
        _, self.told = self.process.communicate(timeout=seconds)
        return self.process.returncode

    def wait_until(self, condition: Callable[[], Any]) -> Any:
        """Return what a condition gives once that is true; the command must still be running."""
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.001)
        return found

    def wait_until_gone(self, but: Set[str] = frozenset()) -> None:
        """Return when no process of its session lives, except those of some names."""
        end = time.monotonic() + PATIENCE
        while left := {process.name() for process in self.left()} - but:
            assert time.monotonic() < end, left
            time.sleep(0.1)

    def left(self) -> list[psutil.Process]:
        """Return the processes of its session that live."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            ours = os.getsid(process.pid) == self.process.pid
            return ours and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.NoSuchProcess):
            return False


@contextmanager
def running(
    *arguments: object, program: Sequence[object] = (MOSEG, "run"), **environment: str
) -> Iterator[Run]:
    """Start a command; what is left of it when the block ends is killed."""
    run = Run([*map(str, program), *map(str, arguments)], environment)
    try:
        yield run
    finally:
        while left := run.left():
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            run.process.poll()
            time.sleep(0.02)
        run.process.communicate()


def _without_ray(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what a Ray in this process has set."""
    return {key: value for key, value in environment.items() if not key.startswith("RAY_")}


NOT_TAKEN = "does not take this run"
"""What is said when Ray's server for drivers from outside does not come up. It forks while its
threads run, and then hangs at times, more often on a busy machine: another try helps."""

TRIES = 4

INFERENCE = (sys.executable, ROOT / "run_inference.py")
"""The program that does stages by name."""


def at_work(out: Path, scene: str = "*", but: Collection[int] = ()) -> int | None:
    """Return a process that computes an artefact of a scene, once it has written some of it.

    Args:
        but: processes that are not meant.
    """
    for desk in out.glob(f"cache/{scene}/.*.partial"):
        process = int(desk.name.split(".")[-2])
        with suppress(OSError):  # it was published in between
            if process not in but and any(path.stat().st_size for path in desk.iterdir()):
                return process
    return None


def halted(out: Path, scene: str = "*", but: Collection[int] = ()) -> int | None:
    """Return such a process as `at_work` does, halted in the midst of it."""
    process = at_work(out, scene, but)
    if process is not None:
        os.kill(process, signal.SIGSTOP)
        if at_work(out, scene, but) == process:
            return process
        os.kill(process, signal.SIGCONT)
    return None


def events(out: Path, kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind, of all runs into a folder."""
    lines = map(json.loads, (out / "events.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == kind]


def last_run(out: Path) -> str:
    """Return what the events of the run that began last are marked with."""
    run: str = events(out, "scenes")[-1]["run"]
    return run


def computed(out: Path) -> Counter[tuple[str, str]]:
    """Return how often each stage of each scene was done, by all runs into a folder."""
    return Counter((e["scene"], e["stage"]) for e in events(out, "end") if e["status"] == "done")


def complete(out: Path) -> set[tuple[str, str]]:
    """Return the stages, by scene, whose artefacts are complete."""
    found = set()
    for path in out.glob("cache/*/*.manifest.json"):
        with suppress(ValueError):  # it is being written
            if json.loads(path.read_bytes())["state"] == "complete":
                found.add((path.parent.name, path.name.removesuffix(".manifest.json")))
    return found
