"""Masks come back as they went in, whatever the order."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.errors import OutputError
from moseg.sam2.mask_store import MaskStore

SIZE = (9, 21)


def noise(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros(SIZE, bool)
    if seed % 4:
        top, left = rng.integers(0, SIZE)
        mask[top:, left:] = rng.random((SIZE[0] - top, SIZE[1] - left)) < 0.6
    return mask


@settings(max_examples=40)
@given(
    puts=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 12), st.integers(0, 99)), max_size=25)
)
def test_every_mask_comes_back(puts):
    truth = {}
    with TemporaryDirectory() as folder, MaskStore(Path(folder) / "masks", SIZE) as store:
        for name, frame, seed in puts:
            store.put(name, frame, noise(seed), seed / 100)
            truth[name, frame] = seed
        for name in range(5):
            assert store.frames(name) == sorted(f for n, f in truth if n == name)
            for frame in range(-1, 14):
                known = (name, frame) in truth
                assert store.has(name, frame) == known
                if known:
                    mask = noise(truth[name, frame])
                    assert np.array_equal(store.get(name, frame), mask)
                    assert store.score(name, frame) == truth[name, frame] / 100
                    assert store.seen(name, frame) == mask.any()
                else:
                    assert not store.seen(name, frame)


def test_what_was_never_put_is_no_empty_mask(tmp_path):
    with MaskStore(tmp_path / "masks", SIZE) as store:
        store.put(1, 5, np.zeros(SIZE, bool), 0.0)
        assert not store.get(1, 5).any()
        for name, frame in [(1, 4), (1, 6), (2, 5)]:
            with pytest.raises(KeyError):
                store.get(name, frame)
            with pytest.raises(KeyError):
                store.score(name, frame)


def test_masks_of_another_size_are_refused(tmp_path):
    with (
        MaskStore(tmp_path / "masks", SIZE) as store,
        pytest.raises(ValueError, match=r"must be \[9, 21\], not \[21, 9\]"),
    ):
        store.put(1, 0, np.zeros(SIZE[::-1], bool), 0.0)


def test_the_file_is_small_and_gone_at_the_end(tmp_path):
    path = tmp_path / "masks"
    mask = np.zeros((480, 854), bool)
    mask[100:200, 300:500] = True
    with MaskStore(path, mask.shape) as store:
        for frame in range(20):
            store.put(1, frame, mask, 0.5)
        assert path.stat().st_size < 20 * 200
    assert not path.exists()
    store.close()


def test_several_threads_read_at_once(tmp_path):
    interval = sys.getswitchinterval()
    with MaskStore(tmp_path / "masks", SIZE) as store:
        for frame in range(60):
            store.put(1, frame, noise(frame), 0.0)
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(4) as threads:
                masks = list(threads.map(lambda frame: store.get(1, frame % 60), range(1200)))
        finally:
            sys.setswitchinterval(interval)
    assert all(np.array_equal(mask, noise(at % 60)) for at, mask in enumerate(masks))


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "masks").mkdir()
    with pytest.raises(OutputError, match=r"masks: a file stands|masks: "):
        MaskStore(tmp_path / "masks", SIZE)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_at_once(tmp_path):
    (tmp_path / "masks").symlink_to("/dev/full")
    with (
        MaskStore(tmp_path / "masks", SIZE) as store,
        pytest.raises(OutputError, match="the disk is full"),
    ):
        store.put(1, 0, np.ones(SIZE, bool), 1.0)
