import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from moseg.core.errors import ConfigError
from moseg.core.palette import davis_palette
from moseg.export.davis import write_davis
from moseg.export.reshape import Reshape
from tests.export.scenes import blocks, make_clip, pixels


def exported(root, frames, shape=Reshape()):  # noqa: B008
    written = write_davis([make_clip(root, frames)], root / "out", shape)
    folder = root / "out" / "walk"
    assert written.paths == (folder,)
    return [pixels(folder / f"{i:05d}.png") for i in range(len(frames))], written.notes


def test_files_hold_all_256_colours_of_davis(tmp_path) -> None:
    exported(tmp_path, [blocks(1)])
    with Image.open(tmp_path / "out" / "walk" / "00000.png") as image:
        assert image.mode == "P"
        assert image.getpalette() == davis_palette().ravel().tolist()


def test_ids_that_fit_are_left_alone(tmp_path) -> None:
    frames = [blocks(2, 1), blocks(1, 3), blocks()]
    found, notes = exported(tmp_path, frames)
    assert all(map(np.array_equal, found, frames))
    assert notes == ()


def test_ids_with_gaps_are_numbered_in_order_and_told(tmp_path) -> None:
    found, notes = exported(tmp_path, [blocks(9, 4), blocks(9, 255)])
    assert np.array_equal(found[0], blocks(2, 1))
    assert np.array_equal(found[1], blocks(2, 3))
    assert notes == ("walk: ids 4, 9, 255 are now 1 to 3",)


def test_the_20_largest_over_the_whole_scene_are_kept(tmp_path) -> None:
    """Ids 1..22 once each; all but 5 and 17 a second time, so these are the smallest."""
    every = blocks(*range(1, 23), height=24, width=36)
    again = np.where(np.isin(every, (5, 17)), 0, every)
    found, notes = exported(tmp_path, [every, again])
    assert np.array_equal(found[0] > 0, again > 0)
    assert np.array_equal(np.unique(found[0]), np.arange(21))
    assert found[0][every == 22].max() == 20
    assert "ids 5, 17, 4.8 % of the area of all" in notes[0]
    assert len(notes) == 2


def test_of_equal_objects_the_lower_ids_are_kept(tmp_path) -> None:
    found, _ = exported(tmp_path, [blocks(*range(1, 23), height=24, width=36)])
    assert np.array_equal(found[0], blocks(*range(1, 21), height=24, width=36))


def test_of_many_equal_objects_beside_larger_ones_the_lower_ids_are_kept(tmp_path) -> None:
    """Every third of 36 is larger, so that 8 of the 24 equal ones are kept."""
    every = blocks(*range(1, 37), height=36, width=72)
    again = np.where(every % 3 == 0, every, 0)
    found, notes = exported(tmp_path, [every, again])
    equal = [number for number in range(1, 37) if number % 3]
    kept = sorted([*equal[:8], *range(3, 37, 3)])
    assert [np.unique(every[found[0] == i]).tolist() for i in range(1, 21)] == [[k] for k in kept]
    assert f"ids {', '.join(map(str, equal[8:]))}, " in notes[0]


@settings(max_examples=20, deadline=None)
@given(ids=st.lists(st.integers(1, 255), min_size=1, max_size=24, unique=True))
def test_ids_never_have_gaps_and_never_pass_20(tmp_path_factory, ids) -> None:
    labels = blocks(*ids, height=24, width=36)
    found, notes = exported(tmp_path_factory.mktemp("davis"), [labels])
    kept = min(20, len(ids))
    assert np.array_equal(np.unique(found[0]), np.arange(kept + 1))
    assert any("left out" in note for note in notes) == (len(ids) > 20)
    for number in range(1, kept + 1):
        assert len(np.unique(labels[found[0] == number])) == 1


def test_an_object_that_shrinks_to_nothing_leaves_no_gap(tmp_path) -> None:
    labels = blocks(1, 2)
    labels[1:5, 1:5] = 0
    labels[1, 1] = 1
    found, _ = exported(tmp_path, [labels], Reshape(grow=-1))
    assert np.unique(found[0]).tolist() == [0, 1]


def test_ids_cannot_be_inverted(tmp_path) -> None:
    with pytest.raises(ConfigError, match="davis"):
        exported(tmp_path, [blocks(1)], Reshape(invert=True))
    assert not (tmp_path / "out").exists()
