"""What the simulated clusters work on: recorded and assumed stage times, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from moseg.cluster.fleet import Node
from moseg.cluster.kinds import RESOLVE, kinds_of
from moseg.core.cache import Decision
from moseg.core.device import CPU, Device
from moseg.core.layout import output_layout
from moseg.core.manifest import Identity
from moseg.core.resolve import Step
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.pipeline.config import load_config
from moseg.pipeline.session import make_plan
from ray_cases.simulated_hands import Cluster

SCENE = Scene("scene", Path("/videos/scene.mp4"), "video")


@dataclass(frozen=True)
class Workload:
    """A plan, how long its stages take, and on which nodes.

    Attributes:
        node: what each machine has.
        workers_a_node: how many workers come to be on one.
        seconds: stage -> mean time of a call.
        start_seconds: until a worker on the CPU, and one with a network, is ready.
    """

    name: str
    plan: Plan
    node: Node
    workers_a_node: int
    seconds: Mapping[str, float]
    start_seconds: tuple[float, float]

    def cluster(self, workers: int, mean: float | None = None) -> Cluster:
        """Return a cluster for about so many workers.

        Args:
            mean: what all calls take; None: the stage times of the workload.
        """
        number = max(1, round(workers / self.workers_a_node))
        seconds = self.seconds if mean is None else dict.fromkeys(self.seconds, mean)
        plain, loading = self.start_seconds
        return Cluster(
            nodes=[_named(self.node, f"node-{i}") for i in range(number)],
            steps=_steps(self.plan),
            seconds=seconds,
            start_seconds={k.name: loading if k.gpu_gb else plain for k in kinds_of(self.plan)},
        )

    @property
    def mean_seconds(self) -> float:
        """Mean time of a call."""
        return sum(self.seconds.values()) / len(self.seconds)


RECORDED: Mapping[str, float] = {
    RESOLVE: 0.01,
    "frames": 0.015,
    "flow": 0.588,
    "depths": 0.382,
    "tracks": 0.049,
    "dinos": 0.077,
    "labels": 0.075,
    "masks": 0.664,
    "overlay": 0.038,
    "preview": 0.243,
}
"""Seconds of the built-in preset for 12 frames of 320x180 on one core: a hard case, since longer
clips give the driver less to do. That of resolving is a guess."""

ASSUMED: Mapping[str, float] = {
    RESOLVE: 0.1,
    "frames": 0.5,
    "queries": 0.1,
    "depths": 4.0,
    "tracks": 2.0,
    "dinos": 2.0,
    "labels": 3.0,
    "masks": 16.0,
    "overlay": 2.0,
    "preview": 0.5,
}
"""Seconds of the networks for 100 frames at 480p on a card like an H100 that they share.

Nobody measured these. Tracks: the 112 TFLOP of docs/performance.md at an eighth of 500 TFLOP/s;
depths, features and masks: 25, 5 and 6 frames a second.
"""


def builtin() -> Workload:
    """Return the built-in preset on nodes without a GPU."""
    node = Node("", "", cpus=8, memory_gb=32)
    plan = _plan("builtin", CPU)
    return Workload("built in", plan, node, 8, _times(plan, RECORDED), (4.0, 4.0))


def networks() -> Workload:
    """Return the networks on nodes with two large cards."""
    node = Node("", "", cpus=32, memory_gb=256, cards=(80.0,) * 2)
    plan = _plan("seganymo", Device("cuda:0", "bfloat16"))
    return Workload("networks", plan, node, 32, _times(plan, ASSUMED), (4.0, 20.0))


def _plan(preset: str, device: Device) -> Plan:
    config = load_config(preset=preset)
    return make_plan(config, output_layout(Path("/results")), devices=(device,))


def _times(plan: Plan, table: Mapping[str, float]) -> dict[str, float]:
    return {stage: table[stage] for stage in (RESOLVE, *(b.stage for b in plan.backends))}


def _named(node: Node, name: str) -> Node:
    return Node(name, name, node.cpus, node.memory_gb, node.cards)


def _steps(plan: Plan) -> tuple[Step, ...]:
    """Return what has to be done for a scene of which nothing is there."""
    slots = {b.stage: plan.layout.slot(SCENE.name, b.stage, b.suffix) for b in plan.backends}
    return tuple(
        Step(
            scene=SCENE,
            stage=backend.stage,
            backend=backend.name,
            slot=slots[backend.stage],
            inputs={name: slots[name] for name in backend.needs},
            identity=Identity(
                stage=backend.stage,
                backend=backend.name,
                backend_version=backend.version,
                params=backend.params.model_dump(mode="json"),
                seed=None,
                source={},
                needs=dict.fromkeys(backend.needs, "0" * 64),
            ),
            decision=Decision(None, "not made yet"),
            needed=True,
        )
        for backend in plan.backends
    )
