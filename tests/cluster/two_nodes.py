"""A real Ray cluster of two nodes on this machine, one of which can be lost.

Each node is a `ray start` process with a session, a folder and a loopback address of its own, so
Ray takes them for two machines. Nothing of it is found by others, nor finds others: addresses,
ports, the token and folders are given.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]

HOSTS = ("127.0.0.2", "127.0.0.3")
"""The nodes' addresses. Ray takes 127.0.0.1 for the machine's outer address, so not that."""

STORE_BYTES = 80_000_000

LOST_SOON = {
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "500",
    "RAY_health_check_failure_threshold": "3",
}
"""A lost node is seen after 1.5 seconds; by Ray's own settings it takes 14."""


@dataclass(frozen=True)
class Node:
    """One `ray start`.

    Attributes:
        process: leader of a session in which are all processes of the node.
        log: what `ray start` printed.
    """

    process: subprocess.Popen[bytes]
    log: Path

    def wait_until_started(self, seconds: float = 60) -> None:
        """Return when the node is part of the cluster.

        Raises:
            RuntimeError: it ended, or is not there in time; with what it printed.
        """
        end = time.monotonic() + seconds
        while b"Ray runtime started" not in self.log.read_bytes():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"a node did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def processes(self) -> list[psutil.Process]:
        """Return what lives in the node's session, and descendants that left it."""
        found = {process for process in psutil.process_iter() if self._in_session(process.pid)}
        for process in [*found]:
            try:
                found.update(process.children(recursive=True))
            except psutil.NoSuchProcess:
                continue
        return [process for process in found if _lives(process)]

    def kill(self) -> None:
        """SIGKILL all processes of the node at once, and return when none is left."""
        # The leader is not waited for before the end: until then nobody else gets its number.
        while processes := self.processes():
            # Who still ran when the first is killed could tell the head that it died.
            for end in (psutil.Process.suspend, psutil.Process.kill):
                for process in processes:
                    with suppress(psutil.NoSuchProcess):
                        end(process)
            time.sleep(0.02)
        self.process.wait()

    def _in_session(self, pid: int) -> bool:
        try:
            return os.getsid(pid) == self.process.pid
        except OSError:
            return False


@dataclass(frozen=True)
class TwoNodes:
    """A running cluster.

    Attributes:
        address: `host:port`, as RAY_ADDRESS has it.
        client: the same cluster for Ray Client, `ray://host:port`.
        environment: what a driver's process needs to reach it, on top of its own environment.
        nodes: the head, and the node that can be lost.
    """

    address: str
    client: str
    environment: dict[str, str]
    nodes: tuple[Node, Node]

    def kill_node(self, number: int) -> None:
        """Lose a node as when a machine loses power: 0 is the head, 1 the other."""
        self.nodes[number].kill()


@contextmanager
def two_nodes(
    cpus: Sequence[int] = (1, 1),
    gpus: Sequence[int] = (0, 0),
    labels: Sequence[str] = ("", ""),
    environment: Mapping[str, str] | None = None,
) -> Iterator[TwoNodes]:
    """Run a cluster while the block lasts; six seconds to start on a quiet machine.

    Args:
        cpus: that Ray believes each node to have.
        gpus: the same.
        labels: of each node, such as `tier=fast,zone=a`.
        environment: added to that of the nodes, and so of all workers.
    """
    folder = Path(tempfile.mkdtemp(prefix="moseg-"))  # short: sockets lie in it
    port, client_port = _free_ports(2)
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    address = f"{HOSTS[0]}:{port}"
    head = [
        *("--head", f"--port={port}", f"--ray-client-server-port={client_port}"),
        "--include-dashboard=false",
    ]
    surroundings = {**_without_ray(os.environ), **LOST_SOON, **token, **(environment or {})}
    nodes: list[Node] = []
    try:
        for i, role in enumerate([head, [f"--address={address}"]]):
            options = [
                *role,
                f"--node-ip-address={HOSTS[i]}",
                f"--temp-dir={folder / str(i)}",
                f"--num-cpus={cpus[i]}",
                f"--num-gpus={gpus[i]}",
                f"--object-store-memory={STORE_BYTES}",
                *([f"--labels={labels[i]}"] if labels[i] else []),
            ]
            nodes.append(_start(options, folder / f"{i}.log", surroundings))
            nodes[i].wait_until_started()
        yield TwoNodes(
            address,
            f"ray://{HOSTS[0]}:{client_port}",
            {**token, "RAY_ADDRESS": address},
            (nodes[0], nodes[1]),
        )
    finally:
        for node in nodes:
            node.kill()
        shutil.rmtree(folder)


def _start(options: list[str], log: Path, environment: Mapping[str, str]) -> Node:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={"RAY_USAGE_STATS_ENABLED": "0", **environment},
            start_new_session=True,
        )
    return Node(process, log)


def _without_ray(environment: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if not key.startswith("RAY_")}


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
