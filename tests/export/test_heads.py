import cv2
import numpy as np
import pytest

from moseg.core.errors import InputError
from moseg.export import heads
from moseg.export.heads import common_size, image_size, mask_size
from tests.evaluation.folders import numbered, write_labels
from tests.export.scenes import blocks
from tests.media import write_image


def refuse(path):
    raise AssertionError(f"{path} was decoded")


def test_usual_files_are_not_decoded(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(heads, "read_labels", refuse)
    monkeypatch.setattr(heads, "read_image", refuse)
    write_labels(tmp_path, {"mask": blocks(1, 255)})
    assert mask_size(tmp_path / "mask.png") == (12, 20)
    for suffix in (".png", ".jpg", ".bmp", ".webp", ".tif"):
        image = write_image(tmp_path / f"image{suffix}", np.zeros((7, 9, 3), np.uint8))
        assert image_size(image) == (7, 9)


def test_images_that_pillow_does_not_know_are_decoded(tmp_path) -> None:
    deep = write_image(tmp_path / "deep.tif", np.zeros((7, 9, 3), np.uint16))
    assert image_size(deep) == (7, 9)


def test_masks_of_16_bits_are_sized_where_they_hold_ids(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((7, 9), 255, np.uint16))
    assert mask_size(tmp_path / "a.png") == (7, 9)


def test_masks_that_end_too_early_are_named(tmp_path) -> None:
    write_labels(tmp_path, {"a": np.random.default_rng(0).integers(0, 9, (64, 64), np.uint8)})
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) * 3 // 4])
    with pytest.raises(InputError, match=r"a\.png: cannot be read as a mask"):
        mask_size(tmp_path / "a.png")


@pytest.mark.parametrize("size_of", [mask_size, image_size])
def test_files_that_are_no_pictures_are_named(tmp_path, size_of) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a\.png"):
        size_of(tmp_path / "a.png")


def test_the_size_of_all_files_is_compared_with_the_first(tmp_path) -> None:
    write_labels(tmp_path, numbered([blocks(), blocks(), blocks(width=26)]))
    paths = sorted(tmp_path.iterdir())
    assert common_size(paths[:2], mask_size) == (12, 20)
    with pytest.raises(InputError, match=r"00002\.png is 26x12 but 00000\.png, .* is 20x12"):
        common_size(paths, mask_size)
