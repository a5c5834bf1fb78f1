"""Toy networks that hold memory of a GPU, as far as Ray believes in it, and a run of them.

Each worker locks a file for as long as it lives, named by its node, card and memory. So others
can tell what is on a card at any moment, also of a worker that was killed.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from moseg.core.device import Device
from moseg.core.layout import Layout
from moseg.core.progress import Silent
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.core.stage import Backend, Params, Report, Resources, Task


class CardParams(Params):
    """Settings of the toy networks."""

    folder: str = Field(description="where the locked files are")


class OnCard(Backend[CardParams]):
    """Writes the device it computes on, the cards that it sees, and the GB held on its card."""

    name = "toy"
    version = 1
    suffix = ".txt"

    def prepare(self, device: Device) -> None:
        import ray

        self.device = device.name
        node = ray.get_runtime_context().get_node_id()
        self.card = f"{node}.{os.environ['CUDA_VISIBLE_DEVICES']}"
        size = int(self.resources.gpu_memory_gb)
        path = Path(self.params.folder, f"{self.card}.{size}.{os.getpid()}")
        self.lock = path.open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def run(self, task: Task) -> Report:
        time.sleep(0.2)
        task.out.write_text(f"{self.device} {self.card} {self._held_gb()}")
        return Report()

    def _held_gb(self) -> int:
        """Return what all workers that live hold on this card."""
        files = Path(self.params.folder).glob(f"{self.card}.*")
        return sum(int(path.name.split(".")[-2]) for path in files if _is_locked(path))


class Small(OnCard):
    """Fits on a card of 24 GB twice."""

    stage = "small"
    resources = Resources(gpu_memory_gb=8)


class Middle(OnCard):
    """Fits on a card beside a small one."""

    stage = "middle"
    resources = Resources(gpu_memory_gb=10)


class Large(OnCard):
    """Has no card beside itself."""

    stage = "large"
    needs = ("small", "middle")
    resources = Resources(gpu_memory_gb=20)


def run(folder: Path, address: str, scenes: int) -> None:
    """Run the toys over scenes, into `folder/out`."""
    from moseg.cluster.runner import open_ray

    (folder / "locks").mkdir()
    params = CardParams(folder=str(folder / "locks"))
    with open_ray(address) as runner:
        devices = runner.devices("auto", "float32")
        plan = Plan(
            (Small(params), Middle(params), Large(params)),
            Layout(folder / "out"),
            devices=devices,
            wanted=frozenset({"small", "middle"}),
        )
        names = [f"{number}" for number in range(scenes)]
        results = runner.run(plan, [Scene(name, folder, "images") for name in names], Silent())
    assert [result.failure for result in results] == [None] * scenes


def answers(folder: Path) -> Mapping[tuple[str, str], tuple[str, str, int]]:
    """Return device, card and the GB held on it, for each scene and stage of a run."""
    found = {}
    for path in (folder / "out").glob("*/*.txt"):
        device, card, held = path.read_text().split()
        found[path.parent.name, path.stem] = device, card, int(held)
    return found


def _is_locked(path: Path) -> bool:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
