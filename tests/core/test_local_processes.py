"""Worker processes and the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.core.toys import number_file

PROGRAM = """
import sys
from pathlib import Path
from moseg.core.layout import Layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from tests.core.toys import Count, CountParams

folder = Path(sys.argv[1])
scenes = [Scene(name, folder / f"{name}.mp4", "video") for name in "ab"]
plan = Plan((Count(CountParams()),), Layout(folder / "out"))
LocalRunner(2).run(plan, scenes, Silent())
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_at_once_with_their_parent(tmp_path, how):
    for name in "ab":
        number_file(tmp_path, name, "endless")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tmp_path],
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        end = time.monotonic() + 60
        while len(list(tmp_path.glob("out/*/.count.*"))) < 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(how)
        # The pipe closes when the last process that holds it is gone: workers hold it too.
        process.communicate(timeout=20)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
