"""The benchmark of runs on Ray, on as little as it can be given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

pytest.importorskip("ray")
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from ray_cases.picture import Curve, draw, throughput_curves  # noqa: E402
from ray_cases.scaling import Clips, child, write_clips  # noqa: E402
from ray_cases.simulated_hands import Faults  # noqa: E402
from ray_cases.simulation import Outcome, simulate  # noqa: E402
from ray_cases.virtual import RayCosts, VirtualClock  # noqa: E402
from ray_cases.workloads import builtin, networks  # noqa: E402

FREE = RayCosts(submit=0, get=0, wait=0, wait_each=0, node=0, claim=0)
CALM = Faults(deaths=0, errors=0, lost_nodes=0)


def simulated(workers=8, scenes=60, costs=FREE, faults=CALM, mean=None) -> Outcome:
    workload = builtin()
    return simulate(workload.plan, workload.cluster(workers, mean), scenes, costs, faults)


@pytest.mark.parametrize("workload", [builtin(), networks()], ids=lambda workload: workload.name)
def test_all_scenes_are_done_though_workers_die_calls_fail_and_nodes_are_lost(workload):
    faults = Faults(deaths=0.05, errors=0.05, lost_nodes=0.02, node_back=5)
    cluster = workload.cluster(2 * workload.workers_a_node)
    found = simulate(workload.plan, cluster, 60, FREE, faults)
    assert found.done == found.scenes == 60
    assert min(found.died, found.failed, found.lost) > 0


def test_workers_whom_nothing_holds_up_are_nearly_always_at_work():
    found = simulated(scenes=120, mean=1.0)
    assert found.workers == 8
    assert found.efficiency > 0.9
    assert found.calls_a_second == pytest.approx(8, rel=0.1)


def test_a_driver_that_cannot_keep_up_is_seen_to():
    slow = RayCosts(submit=0.05, get=0.05, wait=0, wait_each=0, node=0, claim=0)
    found = simulated(costs=slow, mean=0.2)
    assert found.calls_a_second == pytest.approx(10, rel=0.1)
    assert found.driver_busy > 0.95
    assert found.efficiency < 0.5


def test_time_goes_by_as_the_driver_computes_and_not_while_the_clock_is_stopped():
    clock = VirtualClock()
    with clock.stopped() as begin:
        sum(range(300_000))
    stopped = clock() - begin
    sum(range(3_000_000))
    assert 0 <= stopped < clock() - begin - stopped


def test_the_picture_shows_one_line_for_each_time_of_a_call(tmp_path):
    curves = throughput_curves(FREE, workers=(8, 16), means=(1.0, 0.5))
    assert [[workers for workers, _ in curve.points] for curve in curves] == [[8, 16], [8, 16]]
    draw(curves, tmp_path / "some.png")
    draw([Curve(1.0, curves[0].points)], tmp_path / "one.png")
    some, one = (cv2.imread(str(tmp_path / name)) for name in ("some.png", "one.png"))
    assert some.shape == one.shape
    assert (some != one).any()


def test_seconds_of_a_scene_are_counted_from_the_first_stage_on(tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    write_clips(videos, Clips(scenes=3, frames=3, height=48, width=64))
    seconds = child("without Ray, 1 process", videos, tmp_path / "out")
    assert 0 < seconds["steady"] < seconds["working"]


@pytest.mark.slow
def test_overhead_and_simulation_print_their_tables():
    command = [sys.executable, str(ROOT / "scripts/benchmark_ray.py"), "--overhead", "--simulate"]
    command += ["--sleeping", "10", "--workers", "8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ")[0] for line in done.stdout.splitlines() if line.startswith("|")]
    for begins in ("| wall clock", "| 1024", "| built in", "| networks"):
        assert any(row.startswith(begins) for row in rows)
    assert done.stdout.count("40 of 40") == 2
