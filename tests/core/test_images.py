"""Reading image folders."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import InputError
from moseg.core.images import list_frames, read_image, read_images
from tests.media import RGB, moving_square_frames, write_image, write_images

ODD = moving_square_frames(1, 31, 45)[0]


def _save(path: Path, image: Image.Image, form: str, **options: object) -> Path:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    path.write_bytes(buffer.getvalue())
    return path


@pytest.mark.parametrize("suffix", [".png", ".BMP", ".tif", ".tiff", ".PNG"])
def test_lossless_formats(tmp_path: Path, suffix: str) -> None:
    read = read_image(write_image(tmp_path / f"a{suffix}", ODD))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, ODD)


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
def test_lossy_formats(tmp_path: Path, suffix: str) -> None:
    smooth = cv2.GaussianBlur(ODD, (0, 0), 3)
    read = read_image(write_image(tmp_path / f"a{suffix}", smooth))
    assert read.shape == ODD.shape
    assert np.abs(read.astype(int) - smooth).mean() < 3
    assert read[..., 0].mean() > read[..., 2].mean()  # red first


@pytest.mark.parametrize("name", ["ünï 日本.png", "it's.png", "-a.png", "50%d.png", "a b.png"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    np.testing.assert_array_equal(read_image(write_image(tmp_path / name, ODD)), ODD)


def test_16_bit_is_rounded(tmp_path: Path) -> None:
    values = np.array([[0, 128, 129, 257, 385, 386, 65406, 65407, 65535]], np.uint16)
    read = read_image(write_image(tmp_path / "a.png", values))
    assert read[0, :, 0].tolist() == np.rint(values[0] / 257).astype(int).tolist()
    assert read[0, :, 0].tolist() == [0, 0, 1, 1, 1, 2, 254, 255, 255]
    colour = (ODD.astype(np.uint16) * 257)[:, :, :]
    np.testing.assert_array_equal(read_image(write_image(tmp_path / "b.tif", colour)), ODD)


def test_grey_alpha_and_palettes(tmp_path: Path) -> None:
    grey = ODD[..., 1]
    picture = Image.fromarray(ODD)
    read = read_image(write_image(tmp_path / "grey.png", grey))
    np.testing.assert_array_equal(read, np.repeat(grey[..., None], 3, axis=2))
    clear = np.dstack([ODD, np.zeros_like(grey)])
    np.testing.assert_array_equal(read_image(write_image(tmp_path / "clear.png", clear)), ODD)
    grey_alpha = _save(tmp_path / "la.png", Image.fromarray(grey).convert("LA"), "PNG")
    np.testing.assert_array_equal(read_image(grey_alpha), read)
    palette = picture.quantize(8)
    expected = np.asarray(palette.convert("RGB"))
    for form in ("PNG", "TIFF", "BMP"):
        path = _save(tmp_path / f"palette.{form.lower()[:3]}", palette, form)
        np.testing.assert_array_equal(read_image(path), expected)
    bits = picture.convert("1")
    np.testing.assert_array_equal(
        read_image(_save(tmp_path / "bits.png", bits, "PNG"))[..., 0],
        np.asarray(bits).astype(np.uint8) * 255,
    )


def test_the_orientation_tag_is_ignored(tmp_path: Path) -> None:
    tag = Image.Exif()
    tag[0x112] = 6
    path = _save(tmp_path / "a.jpg", Image.fromarray(ODD), "JPEG", exif=tag)
    assert read_image(path).shape == ODD.shape


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_other_pixels_are_refused(tmp_path: Path, dtype: type) -> None:
    path = _save(tmp_path / "a.tif", Image.fromarray(ODD[..., 0].astype(dtype)), "TIFF")
    with pytest.raises(InputError, match=r"a.tif holds .*32 pixels"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tif"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_cut_images_are_refused(
    tmp_path: Path, suffix: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    path = write_image(tmp_path / f"a{suffix}", noise)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=f"a{suffix} is empty, damaged or no image"):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_damaged_png_pixels_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_image(tmp_path / "a.png", ODD)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.png is empty, damaged"):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_an_unreadable_image_among_good_ones(tmp_path: Path) -> None:
    write_images(tmp_path, moving_square_frames(3))
    (tmp_path / "00001.png").write_text("text")
    with pytest.raises(InputError, match=r"00001\.png"):
        list(read_images(list_frames(tmp_path)))
    (tmp_path / "00001.png").unlink()
    paths = [*list_frames(tmp_path), tmp_path / "gone.png"]
    with pytest.raises(InputError, match=r"gone\.png cannot be read"):
        list(read_images(paths))


def test_mixed_sizes_name_both_files_and_sizes(tmp_path: Path) -> None:
    write_images(tmp_path, moving_square_frames(3))
    write_image(tmp_path / "00003.png", ODD)
    with pytest.raises(InputError, match=r"00000\.png.* 64x48 .*00003\.png.* 45x31"):
        list(read_images(list_frames(tmp_path)))


def test_frames_are_listed_in_natural_order(tmp_path: Path) -> None:
    for name in ("f10.png", "f9.jpg", "F1.webp", ".f2.png"):
        write_image(tmp_path / name, ODD)
    assert [path.name for path in list_frames(tmp_path)] == ["F1.webp", "f9.jpg", "f10.png"]


def test_two_images_of_one_frame_are_refused(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "a.jpg"):
        write_image(tmp_path / name, ODD)
    with pytest.raises(InputError, match=r"'a\.jpg' and 'a\.png'"):
        list_frames(tmp_path)


def test_a_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no images"):
        list_frames(tmp_path)


def test_reading_is_lazy(tmp_path: Path) -> None:
    write_images(tmp_path, moving_square_frames(3))
    paths = list_frames(tmp_path)
    frames = read_images(paths)
    first: RGB = next(frames)
    paths[1].unlink()
    assert first.shape == (48, 64, 3)
    with pytest.raises(InputError):
        next(frames)
