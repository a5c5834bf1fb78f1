"""Read back as nerfstudio does: `mask_path`, and for smaller images `masks_2/<its name>`."""

import json
from pathlib import Path

import numpy as np
import pytest

from moseg.core.errors import InputError
from moseg.export.clips import MaskClip
from moseg.export.nerfstudio import FACTORS, write_nerfstudio, write_nerfstudio_data
from moseg.export.reshape import Reshape
from moseg.export.transforms import read_transforms
from tests.export.scenes import blocks, make_clip, pixels
from tests.media import write_images

FRAMES = [blocks(1, height=33, width=51), blocks(0, 2, height=33, width=51)]


@pytest.mark.parametrize("factor", FACTORS)
def test_smaller_masks_are_rounded_down_and_black_and_white(tmp_path, factor) -> None:
    write_nerfstudio([make_clip(tmp_path, FRAMES)], tmp_path / "out", Reshape())
    for i in range(len(FRAMES)):
        small = pixels(tmp_path / "out" / "walk" / f"masks_{factor}" / f"{i:05d}.png")
        assert small.shape == (33 // factor, 51 // factor)
        assert set(np.unique(small)) <= {0, 255}


def test_smaller_masks_lie_where_the_large_ones_do(tmp_path) -> None:
    labels = np.zeros((32, 48), np.uint8)
    labels[8:24, 16:40] = 1
    write_nerfstudio([make_clip(tmp_path, [labels])], tmp_path / "out", Reshape())
    for factor in FACTORS:
        small = pixels(tmp_path / "out" / "walk" / f"masks_{factor}" / "00000.png")
        assert np.array_equal(small == 0, labels[::factor, ::factor] > 0)


def test_tiny_pictures_keep_a_pixel(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1, height=5, width=20)])
    write_nerfstudio([clip], tmp_path / "out", Reshape())
    assert pixels(tmp_path / "out" / "walk" / "masks_8" / "00000.png").shape == (1, 2)


def test_smaller_images_that_are_there_give_their_size(tmp_path) -> None:
    clip = make_clip(tmp_path, FRAMES)
    write_images(tmp_path / "images" / "walk_2", [np.zeros((17, 26, 3), np.uint8)])
    write_nerfstudio([clip], tmp_path / "out", Reshape())
    masks = tmp_path / "out" / "walk"
    assert pixels(masks / "masks_2" / "00001.png").shape == (17, 26)
    assert pixels(masks / "masks_4" / "00001.png").shape == (8, 12)


def data_set(root: Path) -> tuple[MaskClip, dict]:
    """A data folder as nerfstudio makes it: `data/images`, `data/transforms.json`."""
    clip = make_clip(root, FRAMES, "images")
    (root / "images").rename(root / "data")
    frames = [
        {
            "file_path": f"images/{name}.jpg",
            "transform_matrix": [[0.1, 1e-17, 3, 0]],
            "colmap_im_id": i,
        }
        for i, name in enumerate(reversed(clip.files))
    ]
    content = {
        "w": 51,
        "h": 33,
        "camera_model": "OPENCV",
        "frames": frames,
        "ply_file_path": "./sparse.ply",
        "train_filenames": ["images/00001.jpg"],
        "note": "é",
    }
    (root / "data" / "transforms.json").write_text(json.dumps(content))
    return clip, content


def export(clip: MaskClip, file: Path, out: Path):
    return write_nerfstudio_data(clip, out, Reshape(), read_transforms(file))


def test_every_frame_gets_its_mask_in_the_folder_of_the_data(tmp_path) -> None:
    clip, content = data_set(tmp_path)
    data = tmp_path / "data"
    original = (data / "transforms.json").read_bytes()
    written = export(clip, data / "transforms.json", data)
    assert written.paths == (data / "masks", data / "transforms_masked.json")
    assert written.notes == ()
    copy = json.loads((data / "transforms_masked.json").read_text())
    for frame in copy["frames"]:
        place = int(Path(frame["file_path"]).stem)
        mask_path = data / frame.pop("mask_path")
        assert np.array_equal(pixels(mask_path) == 0, FRAMES[place] > 0)
        for factor in FACTORS:
            assert (data / f"masks_{factor}" / mask_path.name).is_file()
    assert copy == content
    assert list(copy) == list(content)
    assert (data / "transforms.json").read_bytes() == original


def test_paths_hold_from_another_folder(tmp_path) -> None:
    clip, content = data_set(tmp_path)
    out = tmp_path / "far" / "away"
    (tmp_path / "data" / "sparse.ply").touch()
    written = export(clip, tmp_path / "data" / "transforms.json", out)
    assert "images_2" in written.notes[0]
    copy = json.loads((out / "transforms_masked.json").read_text())
    for frame, before in zip(copy["frames"], content["frames"], strict=True):
        assert (out / frame["file_path"]).samefile(tmp_path / "data" / before["file_path"])
        assert (out / frame["mask_path"]).is_file()
    assert (out / copy["ply_file_path"]).is_file()
    assert copy["train_filenames"] == [copy["frames"][0]["file_path"]]
    kept = ("w", "h", "camera_model", "note")
    assert {key: copy[key] for key in kept} == {key: content[key] for key in kept}
    assert copy["frames"][0]["transform_matrix"] == content["frames"][0]["transform_matrix"]


def test_sizes_come_from_the_images_that_the_file_names(tmp_path) -> None:
    clip, _ = data_set(tmp_path)
    write_images(tmp_path / "data" / "images_4", [np.zeros((9, 13, 3), np.uint8)])
    export(clip, tmp_path / "data" / "transforms.json", tmp_path / "out")
    assert pixels(tmp_path / "out" / "masks_4" / "00000.png").shape == (9, 13)


def test_a_frame_without_mask_stops_everything(tmp_path) -> None:
    clip, content = data_set(tmp_path)
    file = tmp_path / "data" / "transforms.json"
    content["frames"].append({"file_path": "images/00007.jpg"})
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"1 of 3 frames have no mask in images: 00007\.jpg"):
        export(clip, file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_where_smaller_images_cannot_be_read(tmp_path) -> None:
    clips = [make_clip(tmp_path, FRAMES, name) for name in ("run", "walk")]
    (tmp_path / "images" / "walk_2").mkdir()
    (tmp_path / "images" / "walk_2" / "00000.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match="walk_2"):
        write_nerfstudio(clips, tmp_path / "out", Reshape())
    assert not (tmp_path / "out").exists()
