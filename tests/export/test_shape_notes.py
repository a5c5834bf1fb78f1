import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from moseg.export.clips import find_clips
from moseg.export.reshape import Reshape, reshape
from moseg.export.shape_notes import shape_notes
from tests.evaluation.folders import numbered, write_labels
from tests.export.scenes import blocks, make_clip


def speck(number: int) -> np.ndarray:
    labels = np.zeros((12, 20), np.uint8)
    labels[8, 8:10] = number
    return labels


def test_ids_that_shrink_to_nothing_everywhere_are_named(tmp_path) -> None:
    first = make_clip(tmp_path, [blocks(3) + speck(7), blocks(0, 9)], "a")
    second = make_clip(tmp_path, [speck(3), blocks(7)], "b")
    assert shape_notes([first, second], Reshape(-1)) == [
        "a: --shrink 1 leaves nothing of ids 7 in any frame",
        "b: --shrink 1 leaves nothing of ids 3 in any frame",
    ]
    assert shape_notes([first], Reshape(-100)) == [
        "a: --shrink 100 leaves nothing of ids 3, 7, 9 in any frame"
    ]


@pytest.mark.parametrize("frames", [[blocks(3), speck(3)], [speck(3), blocks(3)]])
def test_an_object_that_is_left_in_one_frame_is_not_told(tmp_path, frames) -> None:
    assert shape_notes([make_clip(tmp_path, frames)], Reshape(-1)) == []


@settings(max_examples=25, deadline=None)
@given(
    frames=stn.arrays(
        np.uint8,
        st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
        elements=st.sampled_from([0, 1, 1, 1, 2, 255]),
    )
)
def test_exactly_the_ids_that_are_gone_are_told(tmp_path_factory, frames) -> None:
    root = tmp_path_factory.mktemp("shape")
    write_labels(root / "walk", numbered(frames))
    left = {number for frame in frames for number in np.unique(reshape(frame, -1))}
    lost = sorted(set(np.unique(frames)) - left - {0})
    names = ", ".join(map(str, lost))
    told = [f"walk: --shrink 1 leaves nothing of ids {names} in any frame"] if lost else []
    assert shape_notes(find_clips(root, None, None), Reshape(-1)) == told


def test_pictures_that_grown_objects_fill_are_counted(tmp_path) -> None:
    full = np.full((12, 20), 4, np.uint8)
    clip = make_clip(tmp_path, [blocks(1, 2), blocks(), full])
    assert shape_notes([clip], Reshape(100)) == [
        "walk: with --grow 100 objects fill the whole picture in 1 of 3 frames"
    ]
    assert shape_notes([clip], Reshape(1)) == []


def test_objects_left_as_they_are_are_not_read_again(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    clip.files["00000"].unlink()
    assert shape_notes([clip], Reshape(invert=True)) == []
