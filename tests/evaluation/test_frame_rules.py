"""Which frames count: the ends that each rule leaves out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation.frame_rules import FRAME_RULES, frame_rule


@pytest.mark.parametrize(
    ("name", "scored", "trend"),
    [("davis16", [1, 2, 3], 3), ("all-frames", [0, 1, 2, 3, 4], 5), ("mtnet", [1, 2, 3, 4], 3)],
)
def test_ends_that_are_left_out(name: str, scored: list[int], trend: int) -> None:
    rule = frame_rule(name)
    assert list(rule.scored(range(5), "dog")) == scored
    assert rule.trend(5) == trend


@given(st.sampled_from(sorted(FRAME_RULES)), st.integers(0, 9))
def test_a_sequence_is_scored_or_refused_never_empty(name: str, length: int) -> None:
    rule = frame_rule(name)
    if rule.trend(length) < 1:
        with pytest.raises(InputError, match=f"^dog: {length} frames are too few"):
            rule.scored(range(length), "dog")
    else:
        scored = rule.scored(range(length), "dog")
        assert len(scored) >= rule.trend(length)
        assert list(scored) == list(range(scored[0], scored[-1] + 1))


@pytest.mark.parametrize(("name", "least"), [("davis16", 3), ("all-frames", 1), ("mtnet", 3)])
def test_the_shortest_sequence_that_can_be_scored(name: str, least: int) -> None:
    frame_rule(name).scored(range(least), "dog")
    with pytest.raises(InputError):
        frame_rule(name).scored(range(least - 1), "dog")


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'first' is unknown.* davis16, all-frames, mtnet"):
        frame_rule("first")
