"""Frames from one process to another through a ring in shared memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.frame_ring import FrameRing

SPAWN = multiprocessing.get_context("spawn")


def frame(number, height=4, width=6):
    return np.full((height, width, 3), number % 251, np.uint8)


def write(path, shape, slots, count, reader, die_at=None):
    def frames():
        for number in range(count):
            if number == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            yield frame(number, *shape[:2])

    FrameRing.open(path, shape, slots).write(frames(), reader)


def start_writer(ring, count, reader=None, die_at=None):
    arguments = (ring.path, ring.shape, ring.slots, count, reader or os.getpid(), die_at)
    process = SPAWN.Process(target=write, args=arguments)
    process.start()
    return process


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 40), slots=st.integers(2, 7), height=st.integers(1, 5))
def test_what_goes_in_comes_out_in_order_and_unchanged(count, slots, height):
    ring = FrameRing.create(height, 6, budget=slots * height * 18)
    assert ring.slots == slots
    there = FrameRing.open(ring.path, ring.shape, ring.slots)
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(
            there.write, (frame(number, height) for number in range(count)), os.getpid()
        )
        out = list(ring.take(written.done))
    assert written.result() == count
    np.testing.assert_array_equal(
        np.array(out).reshape(-1, height, 6, 3),
        np.array([frame(number, height) for number in range(count)]).reshape(-1, height, 6, 3),
    )


@pytest.mark.slow
def test_a_short_ring_carries_many_frames_between_processes():
    ring = FrameRing.create(4, 6, budget=3 * 72)
    writer = start_writer(ring, 500)
    out = [int(image[3, 5, 2]) for image in ring.take(lambda: not writer.is_alive())]
    writer.join()
    assert out == [number % 251 for number in range(500)]
    assert not ring.path.exists()


@pytest.mark.slow
def test_a_reader_that_wants_no_more_ends_the_writer():
    ring = FrameRing.create(4, 6, budget=3 * 72)
    writer = start_writer(ring, 10**9)
    taken = ring.take(lambda: not writer.is_alive())
    assert next(taken)[0, 0, 0] == 0
    ring.close()
    writer.join(30)
    assert writer.exitcode == 0


@pytest.mark.slow
def test_a_reader_that_died_ends_the_writer():
    reader = SPAWN.Process(target=time.sleep, args=(600,))
    reader.start()
    ring = FrameRing.create(4, 6, budget=3 * 72)
    writer = start_writer(ring, 10**9, reader.pid)
    time.sleep(0.1)
    reader.kill()
    reader.join()
    writer.join(30)
    assert writer.exitcode == 0


@pytest.mark.slow
def test_a_writer_that_died_ends_the_frames_after_the_last_it_wrote():
    ring = FrameRing.create(4, 6, budget=3 * 72)
    writer = start_writer(ring, 100, die_at=7)
    out = [int(image[0, 0, 0]) for image in ring.take(lambda: not writer.is_alive())]
    assert out == list(range(7))


def test_what_a_dead_process_left_is_removed(tmp_path, monkeypatch):
    process = SPAWN.Process(target=int)
    process.start()
    process.join()
    monkeypatch.setattr("moseg.core.frame_ring._folder", lambda size: tmp_path)
    left, other = tmp_path / f"moseg-ring-{process.pid}-0f", tmp_path / "moseg-ring-notes"
    left.touch()
    other.touch()
    ring = FrameRing.create(4, 6)
    assert {path.name for path in tmp_path.iterdir()} == {ring.path.name, other.name}
    ring.close()
    assert not ring.path.exists()
