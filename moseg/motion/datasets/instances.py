"""Which objects of a Dynamic Replica sequence move, told by the trajectories of their points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError

STEP = 1e-4
"""A point moves if it goes so far from one frame to the next at some time, in metres."""


@dataclass(frozen=True)
class InstanceMotion:
    """Which instances move.

    Attributes:
        ids: int64 [K], ascending, as the trajectories number instances.
        dynamic: bool [K].
    """

    ids: NDArray[np.int64]
    dynamic: NDArray[np.bool_]

    def moving_values(self, values: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the values that moving instances have in id maps; None where it is all of them.

        Ids and values are different numbers: the k-th id is that of the k-th value.

        Args:
            values: int64, ascending, all that occur in the maps.

        Raises:
            InputError: there are not as many values as ids, and some instance stands still.
        """
        if self.dynamic.all():
            return None
        if len(values) != len(self.ids):
            raise InputError(
                f"the trajectories know {len(self.ids)} instances, the id maps {len(values)}: "
                "which of them move cannot be told"
            )
        return values[self.dynamic]


def find_motion(
    frames: Iterable[tuple[NDArray[np.floating], NDArray[np.integer]]],
) -> InstanceMotion:
    """Return which instances move: those of whose point observations more than half are of moving
    points.

    Args:
        frames: one after the other; positions [N, 3] of the points in the world, in metres, and
            the instances [N] that they are seen on.

    Raises:
        InputError: there is no frame, or the number of points changes.
    """
    before: NDArray[np.floating] | None = None
    farthest = np.zeros(0)
    instances: list[NDArray[np.int64]] = []
    for positions, seen_on in frames:
        if before is None:
            farthest = np.zeros(len(positions))
        elif len(positions) != len(before):
            raise InputError("the number of points changes from one trajectory to the next")
        else:
            farthest = np.fmax(farthest, np.linalg.norm(positions - before, axis=1))
        before = positions
        instances.append(seen_on.astype(np.int64))
    if not instances:
        raise InputError("there are no trajectories")
    observed = np.stack(instances)
    moving = np.broadcast_to(farthest >= STEP, observed.shape)
    ids, place, total = np.unique(observed, return_inverse=True, return_counts=True)
    hits = np.bincount(place.ravel(), weights=moving.ravel(), minlength=len(ids))
    return InstanceMotion(ids, hits > total / 2)
