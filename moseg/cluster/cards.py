"""How large the GPUs of Ray's nodes are: Ray counts cards but not their memory."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from moseg.core.errors import BackendError

LABEL = "moseg.gpu-gb"
"""Label of a node that states the memory of each of its cards, for those without nvidia-smi."""


class CardSizes:
    """Asks each node with GPUs once, without waiting."""

    def __init__(self) -> None:
        self._asked: dict[str, Any] = {}
        self._known: dict[str, float] = {}

    def of(self, node: Mapping[str, Any]) -> float | None:
        """Return the memory in GB of the smallest card of a node; None: not known yet.

        Args:
            node: an entry of `ray.nodes()`.

        Raises:
            BackendError: the node cannot tell, and has no label that does.
        """
        identifier = node["NodeID"]
        if identifier in self._known:
            return self._known[identifier]
        stated = node.get("Labels", {}).get(LABEL)
        if stated is not None:
            self._known[identifier] = _number(stated)
            return self._known[identifier]
        if identifier not in self._asked:
            strategy = NodeAffinitySchedulingStrategy(identifier, soft=False)
            ask = ray.remote(num_cpus=0, scheduling_strategy=strategy)(smallest_card_gb)
            self._asked[identifier] = ask.remote()
        done, _ = ray.wait([self._asked[identifier]], timeout=0)
        if not done:
            return None
        try:
            size: float | None = ray.get(self._asked.pop(identifier))
        except RayError:
            return None  # the node went; it is asked again if it comes back
        if size is None:
            host = node["NodeManagerHostname"]
            raise BackendError(
                f"node {host} has GPUs but no nvidia-smi that tells their memory; start it with "
                f"ray start --labels {LABEL}=GIGABYTES"
            )
        self._known[identifier] = size
        return size


def smallest_card_gb() -> float | None:
    """Return the memory in GB of the smallest NVIDIA card of this machine; None: unknown."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return min(float(line) for line in answer.stdout.split()) * 1024**2 / 1e9
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _number(stated: str) -> float:
    try:
        return float(stated)
    except ValueError as error:
        raise BackendError(f"label {LABEL}={stated} of a Ray node is no number") from error
