"""Threads for independent work on frames, with the same result for any number of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import cv2
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """Yield `function(item)` in the order of `items`, at most `2 * threads` of them in flight.

    `items` is consumed lazily by the calling thread, so a decoder stays in one thread and
    memory stays bounded. With one thread nothing is started.
    """
    if threads <= 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[Result]] = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= 2 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


@contextmanager
def single_threaded_libraries() -> Iterator[None]:
    """Keep OpenCV and BLAS to one thread each while the block runs.

    Their results may depend on their number of threads (DIS flow and matrix products do);
    moseg's own threads work on whole frames, where the result cannot.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        cv2.setNumThreads(before)
