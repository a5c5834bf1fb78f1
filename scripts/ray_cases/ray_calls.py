"""What Ray's own calls, and claims, take of the driver's thread; measured with real ones."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import ray

from moseg.core.claims import ClaimedScenes, Claims
from moseg.core.execute import StageRecord, kept_record
from moseg.core.progress import Silent
from moseg.core.resolve import Step
from ray_cases.virtual import RayCosts
from ray_cases.workloads import SCENE, builtin

PENDING = (1, 64, 256, 1024, 4096)
"""How many references are waited for."""


@dataclass(frozen=True)
class CallCost:
    """Seconds for the parts of a call, while so many references are pending."""

    pending: int
    submit: float
    wait: float
    get: float


class Quick:
    """An actor that answers at once."""

    def run(self, step: Step) -> StageRecord:
        """Return a record of the step."""
        return kept_record(step)


class Blocked:
    """An actor whose calls stay pending."""

    def run(self) -> None:
        """Never end."""
        time.sleep(1e6)


def measure_costs(rounds: int = 200) -> tuple[list[CallCost], RayCosts]:
    """Measure on the Ray that this process is connected to.

    Returns:
        One cost for each of `PENDING`, and what the simulation takes from them.
    """
    quick, blocked = (ray.remote(num_cpus=0)(actor).remote() for actor in (Quick, Blocked))
    step = builtin().cluster(16).steps[-1]
    ray.get(quick.run.remote(step))
    pending: list[Any] = []
    rows = []
    for number in PENDING:
        pending += [blocked.run.remote() for _ in range(number - 1 - len(pending))]
        rows.append(_call_costs(quick, step, pending, rounds))
    ray.kill(blocked)
    ray.kill(quick)
    middle = next(row for row in rows if row.pending == 1024)
    return rows, RayCosts(
        submit=middle.submit,
        get=middle.get,
        wait=rows[0].wait,
        wait_each=max(0.0, middle.wait - rows[0].wait) / 1023,
        node=_mean(ray.nodes, rounds),
        claim=claim_seconds(rounds),
    )


def claim_seconds(scenes: int) -> float:
    """Return the seconds it takes to claim a scene on this disk and to give it back."""
    with tempfile.TemporaryDirectory() as folder, Claims(Path(folder)) as claims:
        names = [replace(SCENE, name=f"scene-{i}") for i in range(scenes)]
        queue = ClaimedScenes(names, claims, Silent())
        begin = time.perf_counter()
        while (claimed := queue.next()) is not None:
            claims.release(claimed[0].name)
        return (time.perf_counter() - begin) / scenes


def _call_costs(quick: Any, step: Step, pending: list[Any], rounds: int) -> CallCost:
    """Return the mean CPU time of this thread for the parts of a call, as `RayHands` makes it."""
    moments = []
    for _ in range(rounds):
        begin = time.thread_time()
        reference = quick.run.remote(step)
        submitted = time.thread_time()
        references = [*pending, reference]
        ray.wait(references, num_returns=1, timeout=60)
        done, _ = ray.wait(references, num_returns=len(references), timeout=0)
        waited = time.thread_time()
        ray.get(done[0])
        moments.append((begin, submitted, waited, time.thread_time()))
    submit, wait, get = np.diff(moments, axis=1).mean(axis=0).tolist()
    return CallCost(len(pending) + 1, submit, wait, get)


def _mean(work: Callable[[], object], rounds: int) -> float:
    begin = time.thread_time()
    for _ in range(rounds):
        work()
    return (time.thread_time() - begin) / rounds
