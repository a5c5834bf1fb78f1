"""Stages that sleep: all time beyond their sleep is overhead."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from moseg.core.layout import Layout
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.core.stage import Backend, NoParams, Report, Task


class Sleeping(Backend[NoParams]):
    """Sleeps, and writes a small file."""

    name = "sleeping"
    version = 1
    suffix = ".txt"
    seconds = 0.0

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        time.sleep(self.seconds)
        task.out.write_text(f"{task.scene.name} {self.stage}\n")
        return Report()


class Begin(Sleeping):
    """What all others read."""

    stage = "begin"
    seconds = 0.02


class Left(Sleeping):
    """One of three that run side by side."""

    stage = "left"
    needs = ("begin",)
    seconds = 0.04


class Middle(Sleeping):
    """One of three that run side by side."""

    stage = "middle"
    needs = ("begin",)
    seconds = 0.1


class Right(Sleeping):
    """One of three that run side by side."""

    stage = "right"
    needs = ("begin",)
    seconds = 0.06


class End(Sleeping):
    """The result."""

    stage = "end"
    needs = ("left", "middle", "right")
    seconds = 0.03


def sleeping_plan(cache: Path) -> Plan:
    """Return a plan of five stages, shaped like the real one."""
    sorts: tuple[type[Sleeping], ...] = (Begin, Left, Middle, Right, End)
    backends: tuple[Backend[Any], ...] = tuple(sort(NoParams()) for sort in sorts)
    return Plan(backends, Layout(cache))


def asleep(plan: Plan) -> dict[str, float]:
    """Return stage -> seconds that it sleeps."""
    return {b.stage: b.seconds for b in plan.backends if isinstance(b, Sleeping)}


def sleeping_scenes(folder: Path, number: int) -> list[Scene]:
    """Return scenes whose source is an empty file."""
    source = folder / "source.mp4"
    source.touch()
    return [Scene(f"scene-{i:05d}", source, "video") for i in range(number)]
