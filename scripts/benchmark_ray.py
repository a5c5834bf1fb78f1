"""How fast, how costly and how large a run on Ray can be.

    python scripts/benchmark_ray.py

Printed, as Markdown tables that can go to docs/performance.md:

    scaling   Scenes a minute of the built-in preset, on Ray with one and two workers and without
              Ray: each way in a process of its own, in turn; medians.
    overhead  What a scene costs beyond its stages, on real Ray, with stages that sleep.
    simulate  The real driver on made-up clusters of up to 1 024 workers that die, fail and lose
              their nodes. Measured are the CPU time of the driver as it runs, and that of Ray's
              calls on this machine; the workers, their stage times and the passing of time are
              not real.
    picture   Calls a second against workers, simulated, as an image.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parent))
from ray_cases.overhead import measure_overhead
from ray_cases.picture import draw, throughput_curves
from ray_cases.ray_calls import measure_costs
from ray_cases.scaling import Clips, child, measure_scaling
from ray_cases.simulated_hands import Faults
from ray_cases.simulation import simulate
from ray_cases.virtual import RayCosts
from ray_cases.workloads import Workload, builtin, networks

from moseg.cluster.runner import open_ray

SCENES_A_WORKER = 5
"""In flight are two for each, so that more than half of the time all have enough to do."""


def print_scaling(clips: Clips, rounds: int) -> None:
    """Print scenes a minute of each way."""
    found = measure_scaling(clips, rounds, __file__)
    print(f"{clips.scenes} scenes of {clips.frames} frames, {clips.width}x{clips.height};")
    print(f"medians of {rounds}; processor cores: {os.cpu_count()}\n")
    rows = []
    for way, speed in found.items():
        base = found["Ray, 1 worker"]
        rows.append([
            way, f"{speed.whole:.1f} s", f"{60 * clips.scenes / speed.whole:.1f}",
            f"{60 * clips.scenes / speed.working:.1f}", f"{60 / speed.steady:.1f}",
            f"{base.whole / speed.whole:.2f}x", f"{base.working / speed.working:.2f}x",
            f"{base.steady / speed.steady:.2f}x",
        ])  # fmt: skip
    head = ["way", "whole run", "scenes a minute", "without start", "steady"]
    _table([*head, "against 1 worker", "without start", "steady"], rows)


def print_overhead(scenes: int, workers: int) -> None:
    """Print what a scene costs beyond its stages."""
    with TemporaryDirectory() as folder:
        found = measure_overhead(Path(folder), scenes, workers)
    parts = {
        "wall clock: (wall time - sleep / workers) / scenes": found.wall,
        "worker time: (wall time x workers - sleep) / scenes, until work runs out": found.worker,
        "- stages beyond their sleep: working copies, digests, manifests": found.stages,
        "- finding out what has to be done": found.resolve,
        "- Ray and the driver: workers wait for their next call": found.calls,
        "claims, in the driver": found.claims,
    }
    print(f"{scenes} scenes of 5 stages that sleep 250 ms in all; {workers} workers\n")
    _table(
        ["overhead", "ms a scene"],
        [[part, f"{1e3 * seconds:.1f}"] for part, seconds in parts.items()],
    )


def measured_costs() -> RayCosts:
    """Measure Ray's calls, print and return what they cost."""
    with open_ray("local", 2):
        rows, costs = measure_costs()
    _table(
        ["pending references", "submit, ms", "wait, ms", "get, ms"],
        [
            [f"{row.pending}", *(f"{1e3 * part:.3f}" for part in (row.submit, row.wait, row.get))]
            for row in rows
        ],
    )
    print(f"\na claim {1e3 * costs.claim:.2f} ms, a look at a node {1e3 * costs.node:.3f} ms\n")
    return costs


def print_simulation(sizes: Sequence[int], costs: RayCosts) -> None:
    """Print what the driver does with each size of cluster."""
    most = {size: _most_calls(size, costs) for size in sizes}
    rows = [
        _simulated(workload, size, costs, most[size])
        for workload in (builtin(), networks())
        for size in sizes
    ]
    head = ["workload", "workers", "scenes done", "died, failed, nodes lost", "scenes a minute"]
    head += ["calls a second", "driver at work", "busiest workers at work"]
    _table([*head, "most calls a second", "saturated by calls of"], rows)


def _most_calls(size: int, costs: RayCosts) -> float:
    """Return how many calls a second the driver can do: workers that answer at once."""
    calm = Faults(deaths=0, errors=0, lost_nodes=0)
    workload = builtin()
    cluster = workload.cluster(size, mean=1e-4)
    return simulate(workload.plan, cluster, 3 * size, costs, calm).calls_a_second


def _simulated(workload: Workload, size: int, costs: RayCosts, most: float) -> list[str]:
    scenes = SCENES_A_WORKER * size
    found = simulate(workload.plan, workload.cluster(size), scenes, costs, Faults())
    return [
        f"{workload.name}, mean call {workload.mean_seconds:.2f} s", f"{found.workers}",
        f"{found.done} of {found.scenes}", f"{found.died}, {found.failed}, {found.lost}",
        f"{found.scenes_a_minute:.0f}", f"{found.calls_a_second:.1f}",
        f"{100 * found.driver_busy:.0f} %", f"{100 * found.efficiency:.0f} %", f"{most:.0f}",
        f"{1e3 * found.workers / most:.0f} ms",
    ]  # fmt: skip


def _table(head: list[str], rows: Iterable[list[str]]) -> None:
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |", flush=True)


def main(
    scaling: Annotated[bool, typer.Option("--scaling", help="Scenes a minute.")] = False,
    overhead: Annotated[bool, typer.Option("--overhead", help="Milliseconds a scene.")] = False,
    simulation: Annotated[bool, typer.Option("--simulate", help="Large clusters.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Simulate, and draw to this file.")] = None,
    scenes: Annotated[int, typer.Option(help="Clips, for --scaling.")] = 12,
    frames: Annotated[int, typer.Option(help="Frames of a clip.")] = 12,
    size: Annotated[tuple[int, int], typer.Option(help="Height and width of a clip.")] = (180, 320),
    rounds: Annotated[int, typer.Option(help="Runs of each way, for --scaling.")] = 3,
    sleeping: Annotated[int, typer.Option(help="Scenes, for --overhead.")] = 80,
    workers: Annotated[str, typer.Option(help="Clusters, for --simulate.")] = "64,1024",
    child_way: Annotated[str, typer.Option("--child", hidden=True)] = "",
    videos: Annotated[Path, typer.Option(hidden=True)] = Path(),
    out: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Measure what is asked for (all but the picture if nothing is) and print tables."""
    if child_way:
        print(json.dumps(child(child_way, videos, out)))
        return
    everything = not (scaling or overhead or simulation or picture)
    if scaling or everything:
        print_scaling(Clips(scenes, frames, *size), rounds)
    if overhead or everything:
        print_overhead(sleeping, 2)
    if simulation or picture or everything:
        costs = measured_costs()
        if not picture:
            print_simulation([int(size) for size in workers.split(",")], costs)
        else:
            draw(throughput_curves(costs), picture)


if __name__ == "__main__":
    typer.run(main)
