"""Kills its own Python process just before a chosen file operation.

Python imports this by itself where the folder is on PYTHONPATH. MOSEG_KILL is `N TEXT`: the
N-th file operation whose `event path` holds TEXT is the last thing that is not done, as in
`1 os.rename /out/masks/.sample.`. Nothing is cleaned up, no buffer is flushed: SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys

_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}
_left, _, _text = os.environ["MOSEG_KILL"].partition(" ")
_count = [int(_left)]


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in _EVENTS and _text in f"{event} {arguments[0]}":
        _count[0] -= 1
        if _count[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(_watch)
