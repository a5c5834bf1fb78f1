"""Which machine this is, and which of its processes are alive."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
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
