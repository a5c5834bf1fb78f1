import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from moseg.core.errors import InputError, OutputError
from moseg.core.files import partial_path
from moseg.core.masks import read_mask_png, write_mask_png
from moseg.core.palette import davis_palette

id_images = st.tuples(st.integers(1, 20), st.integers(1, 20)).flatmap(
    lambda shape: arrays(np.uint8, shape)
)


@settings(max_examples=50, deadline=None)
@given(ids=id_images)
def test_ids_come_back_as_written(tmp_path_factory: pytest.TempPathFactory, ids) -> None:
    path = tmp_path_factory.mktemp("masks") / "00000.png"
    write_mask_png(path, ids)
    read = read_mask_png(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize("highest", [0, 1, 15, 255])
def test_files_have_8_bits_and_the_whole_palette_however_few_ids(
    tmp_path: Path, highest: int
) -> None:
    path = tmp_path / "m.png"
    write_mask_png(path, np.full((7, 9), highest, np.uint8))
    width, height, bits, kind = struct.unpack(">IIBB", path.read_bytes()[16:26])
    assert (width, height, bits, kind) == (9, 7, 8, 3)  # kind 3: palette
    with Image.open(path) as image:
        assert image.mode == "P"
        palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    np.testing.assert_array_equal(palette, davis_palette())


def test_equal_ids_give_equal_bytes_and_small_files(tmp_path: Path) -> None:
    ids = np.zeros((720, 1280), np.uint8)
    ids[200:500, 300:700] = 1
    write_mask_png(tmp_path / "a.png", ids)
    write_mask_png(tmp_path / "b.png", np.asfortranarray(ids))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").stat().st_size < 5000


def test_a_view_of_a_larger_array_is_written_right(tmp_path: Path) -> None:
    ids = np.arange(200, dtype=np.uint8).reshape(10, 20)
    write_mask_png(tmp_path / "a.png", ids[::2, 3:9])
    np.testing.assert_array_equal(read_mask_png(tmp_path / "a.png"), ids[::2, 3:9])


@pytest.mark.parametrize(
    "ids", [np.zeros((3, 3)), np.zeros((3, 3, 3), np.uint8), np.zeros((0, 3), np.uint8)]
)
def test_wrong_arrays_are_refused(tmp_path: Path, ids: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        write_mask_png(tmp_path / "a.png", ids)
    assert list(tmp_path.iterdir()) == []


def test_grey_masks_are_read_by_value(tmp_path: Path) -> None:
    grey = np.array([[0, 255], [7, 0]], np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_mask_png(tmp_path / "grey.png"), grey)
    Image.fromarray(grey > 0).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read_mask_png(tmp_path / "bits.png"), [[0, 1], [1, 0]])


def test_palette_masks_with_fewer_bits_are_read_by_id(tmp_path: Path) -> None:
    ids = np.array([[0, 1, 2, 3], [3, 2, 1, 0]], np.uint8)
    image = Image.fromarray(ids)
    image.putpalette([0, 0, 0, 9, 9, 9, 5, 5, 5, 200, 0, 0])
    image.save(tmp_path / "two.png", bits=2)
    np.testing.assert_array_equal(read_mask_png(tmp_path / "two.png"), ids)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "I;16"])
def test_other_kinds_of_png_are_refused_in_one_line(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "odd.png"
    Image.new(mode, (4, 4)).save(path)
    with pytest.raises(InputError, match=r"odd\.png: a mask must be") as caught:
        read_mask_png(path)
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_refused_in_one_line(tmp_path: Path) -> None:
    write_mask_png(tmp_path / "good.png", np.random.default_rng(0).integers(0, 9, (64, 64), "u1"))
    good = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(good[: len(good) // 2])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    Image.new("L", (4, 4)).save(tmp_path / "photo.jpg")
    for name in ("cut.png", "text.png", "empty.png", "photo.jpg"):
        with pytest.raises(InputError, match=f"{name}: not a readable PNG"):
            read_mask_png(tmp_path / name)
    with pytest.raises(InputError, match="no such mask file"):
        read_mask_png(tmp_path / "missing.png")


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    path = tmp_path / "m.png"
    partial_path(path).symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"m\.png: the disk is full"):
        write_mask_png(path, np.zeros((8, 8), np.uint8))
    assert list(tmp_path.iterdir()) == []
