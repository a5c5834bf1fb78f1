"""Refinement: where a point seems to be, compared with what lies around, moved a little."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from moseg.models.tapir.backbone import HIRES_CHANNELS, LOWRES_CHANNELS
from moseg.models.tapir.grids import Grids
from moseg.models.tapir.patches import PATCH, correlate

FEATURES = HIRES_CHANNELS + LOWRES_CHANNELS
STATE = 2 + FEATURES
"""Numbers the mixer updates beside the position: two logits and the features."""
OUTPUTS = 2 + STATE


def token_width(pyramid_levels: int) -> int:
    """Numbers the mixer reads for each point and frame."""
    return OUTPUTS + PATCH * (2 + pyramid_levels)


class Refinement:
    """State of N points in T frames within one level of refinement.

    The mixer's input is the state: two zeros (positions were meant to stand there), logits
    (occlusion, distance) and features, followed by the correlations, which are written anew in
    each iteration.

    Attributes:
        positions: (x, y) in raster coordinates of the initial resolution, float32 [T, N, 2].
        tokens: float32 [T, N, token width].
    """

    def __init__(
        self,
        grids: Grids,
        query: tuple[Tensor, Tensor],
        positions: Tensor,
        logits: Tensor,
        initial: tuple[int, int],
    ) -> None:
        self.grids = grids
        self.positions = positions
        self.initial = initial
        lowres, hires = query
        frames, points = positions.shape[:2]
        width = OUTPUTS + PATCH * len(grids.pyramid)
        self.tokens = positions.new_zeros(frames, points, width)
        self.tokens[..., 2:4] = logits
        self.tokens[..., 4 : 4 + HIRES_CHANNELS] = hires
        self.tokens[..., 4 + HIRES_CHANNELS : OUTPUTS] = lowres

    @property
    def logits(self) -> Tensor:
        """(occlusion, distance), float32 [T, N, 2]."""
        return self.tokens[..., 2:4]

    def step(self, mix: Callable[[Tensor], Tensor], budget: int) -> None:
        """Do one iteration.

        Args:
            mix: the mixer, tokens [T, N, token width] to updates [T, N, 388].
            budget: of `correlate`.
        """
        self._correlate(budget)
        update = mix(self.tokens)
        self.positions = self.positions + update[..., :2] * self._pixels()
        self.tokens[..., 2:OUTPUTS] += update[..., 2:]

    def _correlate(self, budget: int) -> None:
        height, width = self.initial
        hires = self.tokens[..., 4 : 4 + HIRES_CHANNELS]
        lowres = self.tokens[..., 4 + HIRES_CHANNELS : OUTPUTS]
        for level, grid in enumerate(self.grids.pyramid):
            cells = self.positions.new_tensor((grid.shape[2] / width, grid.shape[1] / height))
            features = hires if level == 0 else lowres
            first = OUTPUTS + PATCH * level
            self.tokens[..., first : first + PATCH] = correlate(
                grid, features, self.positions * cells, budget
            )

    def _pixels(self) -> Tensor:
        """Pixels of the initial resolution to one of this level, (x, y)."""
        rows, columns = self.grids.lowres.shape[1:3]
        height, width = self.initial
        return self.positions.new_tensor((width / (8 * columns), height / (8 * rows)))
