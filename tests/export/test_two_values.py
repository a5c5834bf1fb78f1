"""The forms of two values: names and polarity, each by the rule of its program."""

import numpy as np
import pytest

from moseg.core.errors import InputError
from moseg.export.binary import write_binary
from moseg.export.clips import find_clips
from moseg.export.colmap import write_colmap
from moseg.export.instant_ngp import write_instant_ngp
from moseg.export.nerfstudio import write_nerfstudio
from moseg.export.reshape import Reshape
from tests.evaluation.folders import numbered, write_labels
from tests.export.scenes import blocks, make_clip, mode, pixels

FRAMES = (blocks(1, 255), blocks(0, 0, 2), blocks())

FORMS = {
    # How one file is called, and the value of what moves.
    "binary": (write_binary, "walk/{stem}.png", 255),
    "colmap": (write_colmap, "walk/{file}.png", 0),
    "nerfstudio": (write_nerfstudio, "walk/masks/{stem}.png", 0),
    "instant-ngp": (write_instant_ngp, "walk/dynamic_mask_{stem}.png", 255),
}


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


def written(out, name):
    stems = [f"{i:05d}" for i in range(len(FRAMES))]
    return [out / name.format(stem=stem, file=f"{stem}.jpg") for stem in stems]


def test_what_moves_has_the_value_that_the_program_expects(tmp_path, form) -> None:
    write, name, moving = form
    write([make_clip(tmp_path, FRAMES)], tmp_path / "out", Reshape())
    for path, labels in zip(written(tmp_path / "out", name), FRAMES, strict=True):
        assert mode(path) == "L"
        assert np.array_equal(pixels(path), np.where(labels > 0, moving, 255 - moving))


def test_inverted_values_are_swapped(tmp_path, form) -> None:
    write, name, moving = form
    write([make_clip(tmp_path, FRAMES)], tmp_path / "out", Reshape(invert=True))
    for path, labels in zip(written(tmp_path / "out", name), FRAMES, strict=True):
        assert np.array_equal(pixels(path), np.where(labels > 0, 255 - moving, moving))


def test_objects_grow_whatever_the_value(tmp_path, form) -> None:
    write, name, moving = form
    shape = Reshape(grow=1)
    write([make_clip(tmp_path, FRAMES)], tmp_path / "out", shape)
    path = written(tmp_path / "out", name)[0]
    assert np.array_equal(pixels(path) == moving, shape.labels(FRAMES[0]) > 0)
    assert (pixels(path) == moving).sum() > (FRAMES[0] > 0).sum()


def test_all_scenes_are_written_and_named(tmp_path, form) -> None:
    write, name, _ = form
    clips = [make_clip(tmp_path, FRAMES, scene) for scene in ("walk", "run")]
    paths = write(clips, tmp_path / "out", Reshape()).paths
    assert paths == (tmp_path / "out" / "walk", tmp_path / "out" / "run")
    for scene in ("walk", "run"):
        assert all(
            path.is_file() for path in written(tmp_path / "out", name.replace("walk", scene))
        )


def test_nothing_but_masks_is_left(tmp_path) -> None:
    write_colmap([make_clip(tmp_path, FRAMES)], tmp_path / "out", Reshape())
    assert sorted(path.name for path in (tmp_path / "out" / "walk").iterdir()) == [
        f"0000{i}.jpg.png" for i in range(3)
    ]


def test_colmap_finds_the_mask_under_the_path_of_the_image(tmp_path) -> None:
    images = tmp_path / "images"
    clips = [make_clip(tmp_path, FRAMES, "a", ".png"), make_clip(tmp_path, FRAMES, "b", ".jpg")]
    write_colmap(clips, tmp_path / "out", Reshape())
    for image_path, mask_path in (
        (images, tmp_path / "out"),
        (images / "a", tmp_path / "out" / "a"),
    ):
        for image in image_path.rglob("*.*g"):
            inside = image.relative_to(image_path)
            assert (mask_path / f"{inside}.png").is_file()


def test_binary_masks_need_no_images(tmp_path) -> None:
    write_labels(tmp_path / "pred" / "walk", numbered(FRAMES))
    clips = find_clips(tmp_path / "pred", None, None)
    write_binary(clips, tmp_path / "out", Reshape())
    assert len(list((tmp_path / "out" / "walk").iterdir())) == len(FRAMES)


@pytest.mark.parametrize("write", [write_colmap, write_nerfstudio, write_instant_ngp])
def test_forms_that_need_every_image_say_so_and_write_nothing(tmp_path, write) -> None:
    make_clip(tmp_path, FRAMES, "a")
    make_clip(tmp_path, FRAMES, "b")
    (tmp_path / "pred" / "b" / "00001.png").unlink()
    for images, reason in (
        (tmp_path / "images", "b: no mask .* 00001"),
        (None, "--images"),
    ):
        clips = find_clips(tmp_path / "pred", images, None)
        with pytest.raises(InputError, match=reason):
            write(clips, tmp_path / "out", Reshape())
        assert not (tmp_path / "out").exists()
