"""Frames scored in several processes: the same scores, the same errors, few in flight."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from moseg.core.errors import InputError, ShortOfMemory
from moseg.evaluation.frame_pairs import FramePair, SequencePairs
from moseg.evaluation.frame_pool import AT_ONCE, WORTH_A_PROCESS, score_frames

MANY = 2 * WORTH_A_PROCESS
"""Frames for which two processes are started."""


def sequence(name: str, length: int) -> SequencePairs:
    pairs = tuple(FramePair(f"{name}{i}", (Path(f"{i}.png"),), None) for i in range(length))
    return SequencePairs(name, Path(name), pairs)


def name_and_process(pair: FramePair) -> tuple[str, int]:
    return pair.name, os.getpid()


def refuse_the_fifth(pair: FramePair) -> str:
    if pair.name == "a5":
        raise InputError("a5.png: cannot be read")
    return pair.name


def die_at_the_fifth(pair: FramePair) -> str:
    if pair.name == "a5":
        os.kill(os.getpid(), signal.SIGKILL)
    return pair.name


def test_one_process_is_this_one_and_keeps_the_order() -> None:
    sequences = [sequence("a", 100), sequence("b", 1)]
    for part, found in score_frames(name_and_process, sequences, workers=1):
        assert found == [(pair.name, os.getpid()) for pair in part.pairs]


def test_few_frames_start_no_process() -> None:
    ((_, found),) = score_frames(name_and_process, [sequence("a", WORTH_A_PROCESS)], workers=8)
    assert {process for _, process in found} == {os.getpid()}


def test_sequences_of_one_process_are_scored_when_they_are_asked_for() -> None:
    seen: list[str] = []

    def score(pair: FramePair) -> None:
        seen.append(pair.name)

    scores = score_frames(score, [sequence("a", 3), sequence("b", 3)], workers=1)
    assert seen == []
    next(scores)
    assert seen == ["a0", "a1", "a2"]


def test_progress_counts_every_frame_of_all_sequences() -> None:
    told: list[tuple[int, int]] = []
    parts = [sequence("a", 3), sequence("b", 2)]
    list(score_frames(name_and_process, parts, 1, lambda done, total: told.append((done, total))))
    assert told == [(done, 5) for done in range(1, 6)]


def test_an_error_comes_through_as_it_was() -> None:
    with pytest.raises(InputError, match=r"^a5\.png: cannot be read$"):
        list(score_frames(refuse_the_fifth, [sequence("a", 10)], workers=1))


@pytest.mark.slow
def test_several_processes_keep_the_order_of_sequences_and_frames() -> None:
    parts = [sequence("a", 3), sequence("b", MANY), sequence("c", 20)]
    told: list[int] = []
    found = list(score_frames(name_and_process, parts, 2, lambda done, total: told.append(done)))
    assert [part.name for part, _ in found] == ["a", "b", "c"]
    for part, scores in found:
        assert [name for name, _ in scores] == [pair.name for pair in part.pairs]
    processes = {process for _, scores in found for _, process in scores}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert told == list(range(1, 3 + MANY + 20 + 1))


@pytest.mark.slow
def test_an_error_of_another_process_comes_through_as_it_was() -> None:
    with pytest.raises(InputError, match=r"^a5\.png: cannot be read$"):
        list(score_frames(refuse_the_fifth, [sequence("a", MANY)], workers=2))


@pytest.mark.slow
def test_a_killed_process_is_told_in_one_line() -> None:
    with pytest.raises(ShortOfMemory, match=r"was killed.*--workers 1") as caught:
        list(score_frames(die_at_the_fifth, [sequence("a", MANY)], workers=2))
    assert "\n" not in str(caught.value)


class Counted(tuple[FramePair, ...]):
    """Pairs that count how many of them were taken."""

    taken = 0

    def __iter__(self) -> Iterator[FramePair]:
        for pair in super().__iter__():
            self.taken += 1
            yield pair


@pytest.mark.slow
def test_few_frames_are_in_flight() -> None:
    """So memory does not grow with the length of the videos."""
    pairs = Counted(sequence("b", 4000).pairs)
    parts = [sequence("a", AT_ONCE), SequencePairs("b", Path("b"), pairs)]
    scores = score_frames(name_and_process, parts, workers=2)
    next(scores)
    scores.close()
    assert 0 < pairs.taken < 10 * AT_ONCE
