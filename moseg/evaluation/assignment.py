"""The best one-to-one assignment of rows to columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def best_assignment(weights: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (row, column) with the greatest total weight, each row and column at most once.

    Of P rows and O columns min(P, O) are paired, in the order of rows. Where every column must
    get a row, add rows until there are as many, as the DAVIS tool does with empty masks.

    Source: Kuhn, "The Hungarian method for the assignment problem", 1955.

    Args:
        weights: float [P, O], finite.

    Raises:
        ValueError: a weight is NaN, or the weights are no matrix.
    """
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]
