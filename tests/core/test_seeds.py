"""Seeds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moseg.core.seeds import derive_seed


def test_the_value_is_the_same_everywhere():
    assert derive_seed(0, "tracks", "dog") == 961837446


@given(st.integers(0, 2**31), st.text(), st.text())
def test_streams_differ_by_seed_and_by_each_name(seed, a, b):
    base = derive_seed(seed, a, b)
    assert 0 <= base < 2**31
    assert base != derive_seed(seed + 1, a, b)
    assert base != derive_seed(seed, a + "x", b)
    assert base != derive_seed(seed, a, b + "x")
