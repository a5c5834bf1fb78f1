"""The worst frames: the right ones, in order, and not all of one sequence."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from moseg.evaluation.frame_pairs import FramePair
from moseg.evaluation.results import Measure, Ranking, Report, SequenceScore
from moseg.evaluation.worst_frames import OF_ONE_SEQUENCE, worst_frames

values = st.one_of(st.just(math.nan), st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))
sequence_values = st.lists(st.lists(values, min_size=1, max_size=6), min_size=1, max_size=5)


BY_J = Ranking("J")


def report(*sequences: list[float], ranking: Ranking | None = BY_J) -> Report:
    """A report whose sequences are a, b, c ... with these values of J."""
    scores = []
    for name, series in zip("abcdefgh", sequences, strict=False):
        pairs = tuple(
            FramePair(f"{i:02d}", (Path(f"{i:02d}.png"),), None) for i in range(len(series))
        )
        scores.append(SequenceScore(name, {"J-Mean": 0.0}, pairs, {"J": np.array(series)}))
    return Report(
        protocol="davis16",
        title="",
        pred=Path("pred"),
        truth=Path("gt"),
        rules={},
        measures=(Measure("J-Mean"),),
        figures={"J-Mean": 0.0},
        sequences=tuple(scores),
        ranking=ranking,
    )


def found(of: Report, count: int) -> list[str]:
    return [frame.sequence + frame.pair.name for frame in worst_frames(of, count)]


def test_the_lowest_come_first() -> None:
    of = report([0.5, 0.1], [0.3, 0.9])
    assert found(of, 3) == ["a01", "b00", "a00"]
    assert [(frame.measure, frame.value) for frame in worst_frames(of, 1)] == [("J", 0.1)]


def test_the_highest_come_first_where_the_measure_is_an_error() -> None:
    assert found(report([0.5, 0.1], [0.9], ranking=Ranking("J", low_is_bad=False)), 2) == [
        "b00",
        "a00",
    ]


def test_one_bad_sequence_does_not_fill_the_list() -> None:
    of = report([0.0, 0.01, 0.02, 0.03], [0.5, 0.6], [0.8])
    assert found(of, 4) == ["a00", "a01", "b00", "b01"]


def test_a_sequence_has_more_frames_only_where_the_others_do_not_suffice() -> None:
    of = report([0.0, 0.01, 0.02, 0.03], [0.5], [0.8])
    assert found(of, 5) == ["a00", "a01", "a02", "b00", "c00"]


def test_equal_frames_keep_the_order_of_the_report() -> None:
    assert found(report([0.5, 0.5], [0.5], [0.5]), 3) == ["a00", "a01", "b00"]


def test_frames_without_a_value_are_left_out() -> None:
    assert found(report([math.nan, 0.5]), 5) == ["a01"]


def test_a_report_that_ranks_nothing_has_none() -> None:
    assert worst_frames(report([0.5], ranking=None), 5) == []
    assert worst_frames(report([0.5], ranking=Ranking("F")), 5) == []


@given(sequence_values, st.integers(0, 12))
def test_the_list_is_sorted_as_long_as_asked_and_spread(
    sequences: list[list[float]], count: int
) -> None:
    frames = worst_frames(report(*sequences), count)
    known = [[value for value in series if not math.isnan(value)] for series in sequences]
    assert len(frames) == min(count, sum(map(len, known)))
    assert len({(frame.sequence, frame.pair.name) for frame in frames}) == len(frames)
    shown = [frame.value for frame in frames]
    assert shown == sorted(shown)
    by_name = [
        [frame.value for frame in frames if frame.sequence == name]
        for name, _ in zip("abcdefgh", sequences, strict=False)
    ]
    for mine, all_of_it in zip(by_name, known, strict=True):
        assert mine == sorted(all_of_it)[: len(mine)], "the worst of each sequence"
    room = sum(min(len(series), OF_ONE_SEQUENCE) for series in known)
    if count <= room:
        assert all(len(mine) <= OF_ONE_SEQUENCE for mine in by_name)
