"""The Ray runner: a plan over scenes on one machine's Ray or on a cluster."""

from __future__ import annotations

import io
import logging
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO
from urllib.parse import urlsplit

import ray
from ray.exceptions import RayError

from moseg.cluster.driver import Driver
from moseg.cluster.ray_hands import RayHands, is_connected
from moseg.core.claims import ClaimedScenes
from moseg.core.device import Device, Precision, choose_device, gpu_device
from moseg.core.errors import BackendError
from moseg.core.processes import core_count
from moseg.core.progress import Listener
from moseg.core.runner import Plan, Runner, SceneResult

LOCAL = "local"
AUTO = "auto"

CLIENT_PORT = 10001
"""Where a cluster answers drivers from outside, if it was not told otherwise."""

PATIENCE = 10.0
"""Seconds that a cluster has to answer."""

VISIBLE = "CUDA_VISIBLE_DEVICES"

OBJECT_STORE = 100_000_000
"""Bytes of shared memory for Ray's objects on this machine; ours are small records."""


class RayRunner(Runner):
    """Spreads stages over the workers of the Ray cluster that this process is connected to.

    Args:
        address: what it was connected by.
        workers: how many CPU workers there may be; None: as many as there are cores.
        gpus: GPUs of this machine, by number, where they were chosen.
    """

    name = "ray"

    def __init__(self, address: str, workers: int | None, gpus: Sequence[int] | None) -> None:
        self.address = address
        self.workers = workers
        self.gpus = gpus

    def devices(self, request: str, precision: Precision) -> tuple[Device, ...]:
        """See `Runner.devices`; each worker sees one card, whose name is `cuda:0`."""
        for number in self.gpus or ():  # as this process sees them
            choose_device(f"cuda:{number}", precision)
        there = ray.cluster_resources().get("GPU", 0) > 0
        if request == "cpu" or (request == "auto" and not there):
            return (choose_device("cpu", precision),)
        if not there and self.address == LOCAL:
            raise BackendError(
                f"device {request} was asked for, but Ray sees no GPU here; set device to cpu"
            )
        return (gpu_device(precision),)

    def _results(
        self, plan: Plan, queue: ClaimedScenes, listener: Listener
    ) -> Iterator[SceneResult]:
        hands = RayHands(plan, grows=self.address != LOCAL)
        try:
            yield from Driver(plan, hands, queue, listener, self.workers).run()
        except Exception as error:
            if is_connected() and not isinstance(error, RayError | ConnectionError):
                raise
            raise BackendError(
                f"the Ray cluster is gone ({_words(error)}); run the same command again, what is "
                "complete is kept"
            ) from error
        finally:
            hands.close()


@contextmanager
def open_ray(
    address: str, workers: int | None = None, gpus: Sequence[int] | None = None
) -> Iterator[RayRunner]:
    """Connect to Ray, or start it on this machine, until the block ends.

    Args:
        address: `local` starts Ray here; `auto` is the cluster that this machine is part of;
            `ray://host:port` is one that is reached from outside.

    Raises:
        BackendError: there is no such cluster, or it does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        options |= {
            "num_cpus": workers or core_count(),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE,
        }
        if gpus is not None:
            options["num_gpus"] = len(gpus)
    else:
        _check_answers(address)
    with redirect_stdout(_WithoutRay(sys.stdout)):
        try:
            with _only(gpus):
                ray.init(address, **options)
        except (RayError, ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            raise BackendError(_refused(address, _words(error))) from error
        try:
            yield RayRunner(address, workers, gpus)
        finally:
            ray.shutdown()


@contextmanager
def _only(gpus: Sequence[int] | None) -> Iterator[None]:
    """Let what is started in the block see certain GPUs of those that this process sees."""
    before = os.environ.get(VISIBLE)
    seen = before.split(",") if before else []
    if gpus is not None:
        names = [seen[gpu] if gpu < len(seen) else str(gpu) for gpu in gpus]
        os.environ[VISIBLE] = ",".join(names)
    try:
        yield
    finally:
        if gpus is not None:
            del os.environ[VISIBLE]
        if before is not None:
            os.environ[VISIBLE] = before


def _check_answers(address: str) -> None:
    """Make sure that something listens at an address; Ray itself would try for many minutes.

    Raises:
        BackendError: nothing does.
    """
    place = os.environ.get("RAY_ADDRESS", AUTO) if address == AUTO else address
    if place in ("", AUTO):
        return  # Ray looks for one on this machine, and knows at once if there is none
    try:
        parts = urlsplit(place if "://" in place else f"//{place}")
        with socket.create_connection((parts.hostname or "", parts.port or CLIENT_PORT), PATIENCE):
            return
    except (OSError, ValueError) as error:
        raise BackendError(_no_cluster(address, f"{place}: {_words(error)}")) from error


def _refused(address: str, why: str) -> str:
    if address == LOCAL:
        return f"Ray does not start on this machine ({why}); run without --ray"
    return (
        f"the Ray cluster at --ray {address} does not take this run ({why}); it may not be there, "
        "want another token or RAY_AUTH_MODE=token, or run another Ray or Python version: see "
        "docs/clusters.md"
    )


def _no_cluster(address: str, why: str) -> str:
    return (
        f"no Ray cluster answers at --ray {address} ({why}); start one with `ray start --head`, "
        "or use --ray local"
    )


def _words(error: Exception) -> str:
    """Return the line of an error that says most: the last one where a stack trace follows."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1 if lines[0].endswith(":") else 0]


class _WithoutRay(io.TextIOBase):
    """Leaves out what Ray prints of dead workers: events tell it, and results are printed there."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._left_out = False

    def write(self, text: str) -> int:
        ends = self._left_out and text == "\n"
        self._left_out = "(raylet" in text or "(autoscaler" in text
        if not (ends or self._left_out):
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        self._out.flush()
