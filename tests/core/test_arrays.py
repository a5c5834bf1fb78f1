"""Per-frame arrays on disk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.arrays import FrameArray, FrameArrayWriter, save_array
from moseg.core.errors import CacheError
from tests.limits import largest_file


@given(
    frames=st.integers(0, 120),
    shape=st.lists(st.integers(1, 4), max_size=3).map(tuple),
    dtype=st.sampled_from(["u1", "f2", "f4", "?"]),
)
def test_round_trip_frame_by_frame_and_with_numpy(tmp_path_factory, frames, shape, dtype):
    path = tmp_path_factory.mktemp("arrays") / "a.npy"
    data = (np.arange(frames * int(np.prod(shape))) % 7).astype(dtype).reshape(frames, *shape)
    with FrameArrayWriter(path, shape, dtype) as writer:
        for frame in data:
            writer.append(frame)
    with FrameArray(path) as stored:
        assert len(stored) == frames
        assert stored.dtype == data.dtype
        assert all(np.array_equal(a, b) for a, b in zip(stored, data, strict=True))
    assert np.array_equal(np.load(path), data)


def test_last_frame_by_negative_index_and_none_beyond(tmp_path):
    with FrameArrayWriter(tmp_path / "a.npy", (), "f4") as writer:
        writer.append(np.float32(1))
        writer.append(np.float32(2))
    stored = FrameArray(tmp_path / "a.npy")
    assert stored[-1] == 2
    with pytest.raises(IndexError):
        stored[2]


def test_wrong_shape_is_refused(tmp_path):
    with (
        FrameArrayWriter(tmp_path / "a.npy", (2,), "f4") as writer,
        pytest.raises(ValueError, match="shape"),
    ):
        writer.append(np.zeros(3))


@pytest.mark.parametrize("damage", ["cut", "text", "objects", "fortran"])
def test_damaged_or_foreign_files_are_refused(tmp_path, damage):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((3, 4)))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "text":
        path.write_text("not an array at all")
    elif damage == "objects":
        np.save(path, np.array([{}, {}], dtype=object), allow_pickle=True)
    else:
        np.save(path, np.asfortranarray(np.zeros((3, 4))))
    with pytest.raises(CacheError):
        FrameArray(path)


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (), (2, 0, 5)])
@pytest.mark.parametrize("dtype", ["f4", "?", "f2"])
def test_a_whole_array_is_written_as_numpy_does(tmp_path, shape, dtype):
    array = (np.arange(int(np.prod(shape))) % 3).astype(dtype).reshape(shape)
    save_array(tmp_path / "ours.npy", array)
    np.save(tmp_path / "theirs.npy", array)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()
    save_array(tmp_path / "turned.npy", array.T)
    assert np.array_equal(np.load(tmp_path / "turned.npy"), array.T)


def test_a_whole_array_is_written_to_the_last_byte_or_fails(tmp_path):
    array = np.zeros(4000, np.uint8)
    with largest_file(4100), pytest.raises(OSError, match="too large"):
        save_array(tmp_path / "a.npy", array)  # numpy.save leaves 4100 of 4128 bytes


def test_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="objects"):
        save_array(tmp_path / "a.npy", np.array([None]))
