"""Toy stages in which something goes wrong: once or each time, as a file beside the source says.

`a.trouble` holds `WHAT WHEN`: what goes wrong in scene `a`, and `once` or `always`. The artefact
does not depend on it. `a.tries` has a line for each try: the process that made it.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from moseg.core.errors import InputError, ShortOfMemory
from moseg.core.layout import Layout
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.core.stage import Report, Task
from tests.core.toys import Count, CountParams, Double, number_file


class Troubled(Count):
    """Counts, as far as it comes to that."""

    def run(self, task: Task) -> Report:
        source = task.scene.source
        with source.with_suffix(".tries").open("a") as tries:
            tries.write(f"{os.getpid()}\n")
        (task.out / "begun").touch()
        what, when = _trouble(source)
        if when == "always" or (when == "once" and len(processes(source)) == 1):
            _come_to_grief(what, task.scene.name)
        (task.out / "begun").unlink()
        return super().run(task)


def _trouble(source: Path) -> tuple[str, str]:
    told = source.with_suffix(".trouble")
    what, when = told.read_text().split() if told.exists() else ("", "")
    return what, when


def _come_to_grief(what: str, scene: str) -> None:
    if what == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    raise {
        "input": InputError(f"{scene}: not a number; write one"),
        "fault": RuntimeError(f"a fault at address {hex(os.getpid())}"),
        "memory": MemoryError(),
        "card": ShortOfMemory(f"{scene}: the card is full"),
    }[what]


def troubled_scenes(folder: Path, troubles: dict[str, str]) -> list[Scene]:
    """Write a source for each name, and its trouble beside it where that is not empty."""
    scenes = []
    for number, (name, trouble) in enumerate(troubles.items()):
        source = number_file(folder, name, str(number))
        if trouble:
            source.with_suffix(".trouble").write_text(trouble)
        scenes.append(Scene(name, source, "video"))
    return scenes


def troubled_plan(out: Path) -> Plan:
    """Return a plan of two stages, of which the first has troubles."""
    stages = (Troubled(CountParams()), Double(CountParams()))
    return Plan(stages, Layout(out, {"double": (f"{out}/results/", ".txt")}))


def processes(source: Path) -> list[int]:
    """Return the process of each try of a scene."""
    return [int(line) for line in source.with_suffix(".tries").read_text().split()]
