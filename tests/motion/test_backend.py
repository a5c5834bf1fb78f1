"""Which sets of tracks vote on which."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.query_frames import query_frames
from moseg.core.types import Tracks
from moseg.motion.backend import _Set, _too_little, _windows
from moseg.motion.statistics import VOTING_SPAN


def empty_set(query: int) -> _Set:
    nothing = np.zeros((0, 1), np.float32)
    tracks = Tracks(query, query, np.zeros((0, 1, 2), np.float32), nothing > 0, nothing, nothing)
    return _Set(tracks, nothing, nothing[:, 0], nothing)


def windows(queries: list[int]) -> list[tuple[int, list[int]]]:
    found = _windows(empty_set(query) for query in queries)
    return [(o.tracks.query_frame, [n.tracks.query_frame for n in near]) for o, near in found]


def expected(queries: list[int]) -> list[tuple[int, list[int]]]:
    return [(q, [n for n in queries if abs(n - q) <= VOTING_SPAN]) for q in queries]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 400), max_size=40))
def test_every_set_is_asked_once_with_all_within_the_span(queries: set[int]) -> None:
    assert windows(sorted(queries)) == expected(sorted(queries))


@pytest.mark.parametrize("frames", [1, 2, 6, 51, 52, 233])
def test_windows_of_a_video(frames: int) -> None:
    queries = query_frames(frames, 5)
    assert windows(queries) == expected(queries)


def test_the_span_itself_is_within() -> None:
    assert windows([0, VOTING_SPAN, 2 * VOTING_SPAN + 1]) == [
        (0, [0, VOTING_SPAN]),
        (VOTING_SPAN, [0, VOTING_SPAN]),
        (2 * VOTING_SPAN + 1, [2 * VOTING_SPAN + 1]),
    ]


def test_no_more_is_read_ahead_than_the_span() -> None:
    read: list[int] = []

    def sets() -> Iterator[_Set]:
        for query in range(0, 500, 5):
            read.append(query)
            yield empty_set(query)

    for own, _ in _windows(sets()):
        assert read[-1] <= own.tracks.query_frame + VOTING_SPAN + 5


def test_what_is_too_little_is_said_in_words() -> None:
    assert _too_little(1, 20, 30) == "1 frame of 30x20 pixels is too little to see motion"
    assert _too_little(2, 20, 30) == "2 frames of 30x20 pixels are too little to see motion"
