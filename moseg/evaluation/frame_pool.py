"""Frames scored in several processes, with the same result for any number of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

import cv2

from moseg.core.errors import ShortOfMemory
from moseg.core.processes import core_count, die_with_parent, interrupts_held_back
from moseg.evaluation.frame_pairs import FramePair, SequencePairs

Score = TypeVar("Score")
Progress = Callable[[int, int], None]
"""Is told how many frames are done, and how many there are."""

AT_ONCE = 8
"""Frames that are sent to a process together."""
WORTH_A_PROCESS = 64
"""Frames for which it pays to start one more process, which takes about half a second."""


def unheard(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def score_frames(
    score: Callable[[FramePair], Score],
    sequences: Sequence[SequencePairs],
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Iterator[tuple[SequencePairs, list[Score]]]:
    """Yield each sequence with the scores of its frames, in order.

    Frames of several sequences are worked on at the same time, and few are in flight, so
    memory does not grow with their number beyond the scores themselves.

    Args:
        score: of one pair; a function of a module or a picklable object.
        sequences: what is scored.
        workers: processes; None: one for each core. One, or few frames: none is started. A script
            that asks for more must do its work under `if __name__ == "__main__":`, as always
            with processes that are started anew.
        progress: is told after each frame.

    Raises:
        MosegError: what `score` raised.
        ShortOfMemory: a process was killed.
    """
    total = sum(len(sequence.pairs) for sequence in sequences)
    wanted = core_count() if workers is None else workers
    processes = min(wanted, -(-total // WORTH_A_PROCESS))
    pairs = (pair for sequence in sequences for pair in sequence.pairs)
    scored = _here(score, pairs) if processes <= 1 else _spread(score, pairs, processes)
    done = 0
    # Closed here: left to the garbage collector, a pool would swallow Ctrl-C while it ends.
    with closing(scored) as scores:
        for sequence in sequences:
            found = []
            for value in islice(scores, len(sequence.pairs)):
                found.append(value)
                done += 1
                progress(done, total)
            yield sequence, found


def _here(
    score: Callable[[FramePair], Score], pairs: Iterator[FramePair]
) -> Generator[Score, None, None]:
    for pair in pairs:
        yield score(pair)


def _spread(
    score: Callable[[FramePair], Score], pairs: Iterator[FramePair], processes: int
) -> Generator[Score, None, None]:
    # Started anew, not forked: the caller may have threads.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _prepare)
    flying: deque[Future[list[Score]]] = deque()
    try:
        while some := list(islice(pairs, AT_ONCE)):
            with interrupts_held_back():  # a call may start a process
                flying.append(pool.submit(_score_some, score, some))
            if len(flying) >= 3 * processes:
                yield from flying.popleft().result()
        while flying:
            yield from flying.popleft().result()
    except BrokenProcessPool as error:
        raise ShortOfMemory(
            "a process that scores frames was killed, perhaps for lack of memory; "
            "use fewer of them: --workers 1 (workers=1 in Python)"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    threading.Thread(target=die_with_parent, daemon=True).start()
    cv2.setNumThreads(1)


def _score_some(score: Callable[[FramePair], Score], pairs: list[FramePair]) -> list[Score]:
    return [score(pair) for pair in pairs]
