"""Small backends that stand in for real stages in the tests of the core."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from pydantic import Field

from moseg.core.errors import InputError
from moseg.core.stage import Backend, Params, Report, Task


class CountParams(Params):
    """Settings of the toy stages."""

    amount: int = Field(1, ge=0, description="what is written")


class Count(Backend[CountParams]):
    """Reads the source as a number and writes a folder with number + amount."""

    stage = "count"
    name = "toy"
    version = 1
    seeded = True

    def identity(self, scene):
        return {"input": scene.source.read_text()}

    def run(self, task: Task) -> Report:
        text = task.scene.source.read_text()
        if text == "bad":
            raise InputError(f"{task.scene.name}: not a number; write one")
        if text == "bug":
            raise RuntimeError("a fault")
        if text == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "endless":
            time.sleep(600)
        if text == "slow":
            time.sleep(0.2)
            text = "0"
        value = int(text) + self.params.amount
        (task.out / "value.txt").write_text(str(value))
        (task.out / "sub").mkdir()
        (task.out / "sub" / "seed.txt").write_text(str(task.seed))
        task.progress(1, 1)
        return Report({"value": value}, ("counted",))


class Double(Backend[CountParams]):
    """Writes a file with twice the value of `Count`."""

    stage = "double"
    name = "toy"
    version = 1
    needs = ("count",)
    suffix = ".txt"

    def run(self, task: Task) -> Report:
        value = int((task.inputs["count"] / "value.txt").read_text())
        task.out.write_text(str(2 * value + self.params.amount))
        return Report({"double": 2 * value})


class WhereItRuns(Backend[CountParams]):
    """Writes the name of the device it was prepared for."""

    stage = "where"
    name = "toy"
    version = 1
    suffix = ".txt"

    def prepare(self, device):
        self.device = device

    def run(self, task: Task) -> Report:
        time.sleep(0.1)
        task.out.write_text(self.device.name)
        return Report()


def number_file(folder: Path, name: str, text: str) -> Path:
    """Write a toy source."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.mp4"
    path.write_text(text)
    return path
