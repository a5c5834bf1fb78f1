"""Which processes are alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from moseg.core.processes import interrupts_held_back, is_alive


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


def test_an_interrupt_waits_for_the_end_of_the_block_whichever_thread_gets_it():
    script = """
import os, signal, threading, time
from moseg.core.processes import interrupts_held_back
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
try:
    with interrupts_held_back():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        print("to the end", flush=True)
    print("not here")
except KeyboardInterrupt:
    print("then stopped")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["to the end", "then stopped"], done.stderr


def test_nothing_is_changed_without_an_interrupt():
    handler, mask = signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with interrupts_held_back():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.getsignal(signal.SIGINT) is handler
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask
