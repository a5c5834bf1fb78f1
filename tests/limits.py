"""Limits that the operating system sets, for tests of what happens when they are reached."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write files of at most `size` bytes; longer ones fail as if too big."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def without_privileges() -> list[str] | None:
    """What to put before a command so that file permissions bind it; None if nothing does."""
    if os.geteuid() != 0:
        return []
    prefix = ["unshare", "--user"]
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return None
    return prefix if works else None


MOUNTING = ("unshare", "--map-root-user", "--mount")
"""Runs a command that may mount: what it mounts nobody else sees, and it ends with it."""


def can_mount() -> bool:
    """Whether a test may mount a small file system of its own."""
    try:
        probe = [*MOUNTING, "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
