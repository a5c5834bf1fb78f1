import numpy as np
import pytest

from moseg.core.errors import OutputError
from moseg.export.binary import write_binary
from moseg.export.places import black_where, make_folder, white_where, write_grey
from moseg.export.reshape import Reshape
from tests.export.scenes import blocks, make_clip, mode, pixels


@pytest.mark.parametrize("root", ["pred", "images"])
def test_what_is_read_is_never_written_over(tmp_path, root) -> None:
    clip = make_clip(tmp_path, [blocks(7)] * 2, suffix=".png")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    (tmp_path / "link").symlink_to(tmp_path / root)
    for out in (tmp_path / root, tmp_path / "link"):
        with pytest.raises(OutputError, match="what is exported lies there"):
            write_binary([clip], out, Reshape())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before


def test_a_file_in_the_way_is_told(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        make_folder(tmp_path / "file" / "walk", clip)


@pytest.mark.parametrize(("kind", "stored"), [(np.uint8, "L"), (np.uint16, "I;16")])
def test_values_are_stored_as_they_are(tmp_path, kind, stored) -> None:
    values = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (7, 9), dtype=kind)
    write_grey(tmp_path / "a.png", values.T)
    assert mode(tmp_path / "a.png") == stored
    assert np.array_equal(pixels(tmp_path / "a.png"), values.T)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_black_and_white_are_opposites() -> None:
    chosen = np.array([[True, False]])
    assert white_where(chosen).tolist() == [[255, 0]]
    assert black_where(chosen).tolist() == [[0, 255]]
    assert white_where(chosen).dtype == black_where(chosen).dtype == np.uint8
