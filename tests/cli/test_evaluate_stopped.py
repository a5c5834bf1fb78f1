"""`moseg eval` with processes, stopped by a person or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.cli.commands import ROOT
from tests.evaluation.folders import numbered, write_labels

pytestmark = pytest.mark.slow
SOON = 20
"""Seconds; what is waited for takes one or two."""


@pytest.fixture
def scoring(tmp_path: Path) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A call that has just started its processes."""
    frame = np.zeros((240, 320), np.uint8)
    frame[60:160, 40:140] = 255
    for kind in ("pred", "gt"):
        write_labels(tmp_path / kind / "dog", numbered([frame] * 400))
    command = [sys.executable, "-m", "moseg.cli", "eval", "davis16", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--pred", str(tmp_path / "pred"), "--gt", str(tmp_path / "gt")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + SOON
    while len(workers := scorers(process)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(workers) == 2
    return process, workers


def scorers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_a_person_stops_it_and_reads_one_word(
    scoring: tuple[subprocess.Popen[str], list[psutil.Process]],
) -> None:
    process, workers = scoring
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, told = process.communicate(timeout=SOON)
    assert (process.returncode, told) == (130, "stopped\n")
    assert psutil.wait_procs(workers, SOON)[1] == []


def test_its_processes_end_with_it(
    scoring: tuple[subprocess.Popen[str], list[psutil.Process]],
) -> None:
    process, workers = scoring
    process.kill()
    process.wait(SOON)
    assert psutil.wait_procs(workers, SOON)[1] == []
