"""Decoding ahead of a GPU, in a process of its own on the same machine.

A worker with a GPU has a decoder beside it, an actor on one core. What the worker's network
reads comes from there: while it computes on some frames the next ones are decoded. Frames go
through shared memory; Ray carries the paths alone.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from moseg.core.errors import CacheError, MosegError
from moseg.core.frame_ring import RGB, FrameRing
from moseg.core.frames import Frames
from moseg.core.parallel import single_threaded_libraries

MOST_AT_ONCE = 4
"""Passes over frames that a backend may have open at the same time."""


class Decoder:
    """Runs in the decoding actor."""

    def decode(
        self, frames: Frames, path: str, shape: tuple[int, int, int], slots: int, reader: int
    ) -> int:
        """Write frames into a ring until all are written or the reader is gone.

        Args:
            reader: process id of who takes them.

        Raises:
            InputError: the source cannot be read.
        """
        ring = FrameRing.open(Path(path), shape, slots)
        with single_threaded_libraries():
            return ring.write(frames.decode(), reader)


class FramesFromDecoder:
    """Gives a worker's backends their frames; see `moseg.core.frames.frames_from`."""

    def __init__(self) -> None:
        self._actor: Any = None

    def __call__(self, frames: Frames) -> Generator[RGB]:
        """Yield the frames.

        Raises:
            InputError: the source cannot be read.
            CacheError: the decoder ended; another try starts a new one.
        """
        ring = FrameRing.create(frames.height, frames.width)
        try:
            call = self._decoder().decode.remote(
                frames, str(ring.path), ring.shape, ring.slots, os.getpid()
            )
            yield from ring.take(lambda: bool(ray.wait([call], timeout=0)[0]))
            self._finish(call, frames)
        finally:
            ring.close()

    def _finish(self, call: Any, frames: Frames) -> None:
        try:
            ray.get(call)
        except RayTaskError as error:
            if isinstance(error.cause, MosegError):
                raise error.cause from None
            raise
        except RayError as error:
            self._actor = None
            raise CacheError(
                f"{frames.scene.name}: the decoder beside the GPU ended; run again"
            ) from error

    def _decoder(self) -> Any:
        if self._actor is None:
            here = ray.get_runtime_context().get_node_id()
            options = ray.remote(Decoder).options(
                num_cpus=0,
                max_concurrency=MOST_AT_ONCE,
                scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
            )
            self._actor = options.remote()
        return self._actor
