"""How large the GPUs of Ray's nodes are: Ray counts cards but not their memory."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

LABEL = "moseg.gpu-gb"
"""Label of a node that states the memory of each of its cards, for those without nvidia-smi."""


class CardSizes:
    """Asks each node with GPUs once, without waiting.

    Attributes:
        remarks: what a person should know of nodes that cannot tell.
    """

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self._asked: dict[str, Any] = {}
        self._known: dict[str, float] = {}

    def of(self, node: Mapping[str, Any]) -> float | None:
        """Return the memory in GB of the smallest card of a node; None: not known yet; 0: unknown.

        Args:
            node: an entry of `ray.nodes()`.
        """
        identifier = node["NodeID"]
        if identifier in self._known:
            return self._known[identifier]
        stated = node.get("Labels", {}).get(LABEL)
        if stated is not None:
            self._known[identifier] = self._number(node, stated)
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
            size = self._unknown(node, "no nvidia-smi tells their memory")
        self._known[identifier] = size
        return size

    def _number(self, node: Mapping[str, Any], stated: str) -> float:
        try:
            return float(stated)
        except ValueError:
            return self._unknown(node, f"label {LABEL}={stated} is no number")

    def _unknown(self, node: Mapping[str, Any], why: str) -> float:
        self.remarks.append(
            f"the GPUs of node {node['NodeManagerHostname']} are not used, since {why}; start it "
            f"with ray start --labels {LABEL}=GIGABYTES"
        )
        return 0.0


def smallest_card_gb() -> float | None:
    """Return the memory in GB of the smallest NVIDIA card of this machine; None: unknown."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return min(float(line) for line in answer.stdout.split()) * 1024**2 / 1e9
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
