"""The assignment has the greatest total weight."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from moseg.evaluation.assignment import best_assignment

WEIGHTS = arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    elements=st.floats(0, 1, allow_nan=False),
)


def greatest_total(weights: NDArray[np.float64]) -> float:
    """By trying every assignment."""
    rows, columns = weights.shape
    wide = weights if rows <= columns else weights.T
    short, long = wide.shape
    totals = (
        sum(wide[place, other] for place, other in enumerate(order))
        for order in permutations(range(long), short)
    )
    return float(max(totals))


@given(WEIGHTS)
def test_total_is_the_greatest_and_nothing_is_used_twice(weights: NDArray[np.float64]) -> None:
    pairs = best_assignment(weights)
    rows, columns = zip(*pairs, strict=True)
    assert len(pairs) == min(weights.shape)
    assert len(set(rows)) == len(set(columns)) == len(pairs)
    assert list(rows) == sorted(rows)
    total = sum(weights[pair] for pair in pairs)
    assert total == pytest.approx(greatest_total(weights))


def test_best_in_all_is_not_the_best_of_each() -> None:
    assert best_assignment(np.array([[0.9, 0.8], [0.8, 0.1]])) == [(0, 1), (1, 0)]


def test_a_weight_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid numeric"):
        best_assignment(np.array([[np.nan, 1.0], [0.0, 1.0]]))
