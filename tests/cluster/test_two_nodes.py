"""The two-node cluster that other tests use is one, and loses a node like a machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

import psutil
import pytest

from tests.cluster.runs import TRIES
from tests.cluster.two_nodes import HOSTS, TwoNodes, two_nodes

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

DRIVER = """
import json, os, sys, time
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

ray.init(address=sys.argv[1], log_to_driver=False)

@ray.remote(num_cpus=0)
def place():
    return os.getsid(0), os.environ.get("MOSEG_TEST")

def alive():
    return {node["NodeManagerAddress"]: node for node in ray.nodes() if node["Alive"]}

end = time.monotonic() + 60
while len(alive()) != int(sys.argv[2]) and time.monotonic() < end:
    time.sleep(0.1)
seen = {}
for host, node in alive().items():
    on_it = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    session, said = ray.get(place.options(scheduling_strategy=on_it).remote())
    resources, labels = node["Resources"], node["Labels"]
    seen[host] = [resources["CPU"], resources.get("GPU", 0), labels.get("tier"), said, session]
print(json.dumps(seen))
"""

NO_SERVER = "Starting Ray client server failed"
"""What Ray says where its server for drivers from outside does not come up: `runs.NOT_TAKEN`."""


def seen_by_a_driver(cluster: TwoNodes, address: str, count: int) -> dict[str, list[object]]:
    """Return CPUs, GPUs, label, a worker's environment and its session, of each host."""
    for _ in range(TRIES):
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, address, str(count)],
            env={**os.environ, **cluster.environment},
            capture_output=True,
            text=True,
        )
        if NO_SERVER not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_nodes_of_which_one_is_lost_and_nothing_stays():
    with two_nodes(
        cpus=(1, 2), gpus=(0, 1), labels=("", "tier=fast"), environment={"MOSEG_TEST": "yes"}
    ) as cluster:
        sessions = [node.process.pid for node in cluster.nodes]
        assert seen_by_a_driver(cluster, "auto", 2) == {
            HOSTS[0]: [1, 0, None, "yes", sessions[0]],
            HOSTS[1]: [2, 1, "fast", "yes", sessions[1]],
        }
        near, far = [[process.pid for process in node.processes()] for node in cluster.nodes]
        cluster.kill_node(1)
        assert not any(lives(pid) for pid in far)
        assert lives(sessions[0])
        assert seen_by_a_driver(cluster, cluster.client, 1).keys() == {HOSTS[0]}
    assert not any(lives(pid) for pid in near)


def test_a_node_that_does_not_start_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(RuntimeError, match="no pair"), two_nodes(labels=("no pair", "")):
        pass
    assert not any(str(tmp_path) in " ".join(command_line(each)) for each in psutil.process_iter())
    assert list(tmp_path.iterdir()) == []


def command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
