"""Which machine this is, which of its processes are alive, and when a child of ours ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from pathlib import Path


def machine_id() -> str:
    """Return a text that two processes share just when they can see each other's ids.

    It tells apart hosts, boots of one host, and containers that number processes anew.
    """
    parts = [socket.gethostname(), "", ""]
    with suppress(OSError):  # only Linux has these
        parts[1] = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        parts[2] = str(Path("/proc/self/ns/pid").readlink())
    return " ".join(parts)


def core_count() -> int:
    """Return how many cores this process may use; a batch system may give it fewer than all."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux has it
        return os.cpu_count() or 1


def is_alive(pid: int) -> bool:
    """Whether a process of that id works on this machine.

    One that has ended is not alive, even where its parent has not asked after it (in a container
    that may never happen).
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError):  # only Linux has this
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in ("Z", "X")
    return True


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Ctrl-C waits until the block ends; processes started in it are deaf to it for good."""
    resource_tracker.ensure_running()  # it lets interrupts through again when it starts
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    held: list[int] = []
    # The system may wake another thread (BLAS has some), and then Python's handler runs here.
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, _: held.append(number)) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if held and callable(handler):
            handler(held[0], None)


def die_with_parent() -> None:
    """End this process at once when the process that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
