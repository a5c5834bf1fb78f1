"""Tracking while frames arrive, with online weights."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from moseg.models.tapir.grids import VideoFeatures
from moseg.models.tapir.mixer import BlockMemory
from moseg.models.tapir.model import ITERATIONS, Mix, PointTracks, Tapir
from moseg.models.tapir.queries import QueryFeatures


class CausalStream:
    """Follows points through frames that come one after the other, in chunks of any length.

    Any split of a clip gives what one causal pass over the whole clip gives. Points are never
    pinned, and the last iteration is reported, not a mean over levels.

    Args:
        network: a causal one.
        queries: features of N points, from their query frame's own grids.
    """

    def __init__(self, network: Tapir, queries: QueryFeatures) -> None:
        if not network.causal:
            raise ValueError("only a causal network can track a stream")
        self.network = network
        self.queries = queries
        levels = len(queries.levels) - 1
        nothing = network.torch_pips_mixer.no_memory(len(queries))
        self._memory: list[list[BlockMemory]] = [nothing] * (levels * ITERATIONS)

    def track(self, features: VideoFeatures) -> PointTracks:
        """Return where the points are in the next frames."""
        *_, last = self.network.predictions(features, self.queries, mixers=self._mixers())
        return last

    def _mixers(self) -> Iterator[Mix]:
        for iteration in range(len(self._memory)):

            def mix(tokens: Tensor, iteration: int = iteration) -> Tensor:
                memory = self._memory[iteration]
                mixed, self._memory[iteration] = self.network.torch_pips_mixer.resume(
                    tokens, memory
                )
                return mixed

            yield mix
