"""Whether a stage that failed is tried again."""

from __future__ import annotations

import re

from moseg.core.execute import StageRecord

MOST_TRIES = 3
MOST_LOST_NODES = 5
"""How often a stage may lose the node it runs on, through no fault of its own."""


class Tries:
    """The failures of one stage of one scene in this run."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._lost_nodes = 0

    def again(self, record: StageRecord, lost_node: bool) -> bool:
        """Take note of a failure; return whether another try is worth it.

        Bad input is never tried again, and neither is what failed twice in the same way.
        """
        if lost_node:
            self._lost_nodes += 1
            return self._lost_nodes < MOST_LOST_NODES
        way = _way(record)
        repeated = way in self._seen
        self._seen.append(way)
        return record.transient and not repeated and len(self._seen) < MOST_TRIES


def _way(record: StageRecord) -> str:
    """Return what two failures of one cause have in common: numbers and addresses go."""
    return record.error + re.sub(r"0x[0-9a-f]+|\d+", "#", record.reason)
