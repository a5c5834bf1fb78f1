"""Which processes are alive."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from moseg.core.processes import is_alive


def test_a_process_is_alive_until_it_ends():
    assert is_alive(os.getpid())
    assert is_alive(1)  # it may be somebody else's
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert is_alive(process.pid)
    process.communicate()
    assert not is_alive(process.pid)


def test_one_that_ended_is_not_alive_before_its_parent_asks():
    process = subprocess.Popen([sys.executable, "-c", ""])
    end = time.monotonic() + 30
    while is_alive(process.pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not is_alive(process.pid)
    process.wait()
