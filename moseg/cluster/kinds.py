"""Which sorts of workers a plan needs.

A stage with a network has workers of its own, so that a worker holds one model and keeps it
over scenes. All other stages share one sort of CPU worker, which also finds out what has to be
done for a scene: that reads, and decodes, the source ahead of the networks.
"""

from __future__ import annotations

from dataclasses import dataclass

from moseg.core.runner import Plan

CPU_WORKERS = "cpu"
"""Name of the workers for stages without a network."""

RESOLVE = "resolve"
"""What CPU workers do first for each scene; not a stage."""


@dataclass(frozen=True)
class Kind:
    """One sort of worker, and what one of it takes of a node.

    Attributes:
        name: `cpu`, or the stage whose network it holds.
        stages: what it does.
        cpus: cores. With a card one: the card is what it keeps busy, and a core decodes for it.
        memory_gb: host memory.
        gpu_gb: memory of one card; 0 for a worker that computes on the CPU.
        threads: how many threads its stages may use.
    """

    name: str
    stages: tuple[str, ...]
    cpus: float
    memory_gb: float
    gpu_gb: float = 0.0
    threads: int = 1


def kinds_of(plan: Plan) -> tuple[Kind, ...]:
    """Return the sorts of workers for a plan, CPU workers first."""
    on_gpu = plan.devices[0].name != "cpu"
    plain = [backend for backend in plan.backends if not backend.uses_gpu]
    cores = max((backend.resources.cpus for backend in plain), default=1.0)
    cpu = Kind(
        name=CPU_WORKERS,
        stages=(RESOLVE, *(backend.stage for backend in plain)),
        cpus=cores,
        memory_gb=max((backend.resources.memory_gb for backend in plain), default=1.0),
        threads=max(1, int(cores)),
    )
    networks = [
        Kind(
            name=backend.stage,
            stages=(backend.stage,),
            cpus=1.0 if on_gpu else backend.resources.cpus,
            memory_gb=backend.resources.memory_gb,
            gpu_gb=backend.resources.gpu_memory_gb if on_gpu else 0.0,
            threads=max(1, int(backend.resources.cpus)),
        )
        for backend in plan.backends
        if backend.uses_gpu
    ]
    return (cpu, *networks)
