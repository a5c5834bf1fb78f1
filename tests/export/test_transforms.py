import json

import pytest

from moseg.core.errors import InputError, OutputError
from moseg.export.transforms import read_transforms
from tests.export.scenes import blocks, make_clip


def transforms(folder, *paths, **fields):
    file = folder / "transforms.json"
    file.write_text(json.dumps({"frames": [{"file_path": path} for path in paths], **fields}))
    return read_transforms(file)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"frames": []}', '{"frames": [{}]}', '{"frames": [{"file_path": 1}]}']
)
def test_other_files_are_refused(tmp_path, text) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.json is no transforms\.json"):
        read_transforms(tmp_path / "a.json")


def test_a_file_that_is_not_there_is_told(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_transforms(tmp_path / "a.json")


def test_masks_are_found_by_the_name_of_the_image_with_and_without_suffix(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)] * 2)
    found = transforms(tmp_path, "./images/00001.jpg", "/far/00000").masks_of_frames(clip)
    assert found == ["00001", "00000"]


def test_one_mask_is_never_that_of_two_images(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    with pytest.raises(InputError, match=r"left/00000\.png and right/00000\.png have one name"):
        transforms(tmp_path, "left/00000.png", "right/00000.png").masks_of_frames(clip)
    twice = transforms(tmp_path, "left/00000.png", "left/00000.png")
    assert twice.masks_of_frames(clip) == ["00000", "00000"]


def test_images_of_another_size_are_refused(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    assert transforms(tmp_path, "00000.png", w=20, h=12).masks_of_frames(clip)
    with pytest.raises(InputError, match="the images are 40x24, the masks of walk 20x12"):
        transforms(tmp_path, "00000.png", w=40, h=24).masks_of_frames(clip)
    single = transforms(tmp_path, "00000.png", w=20, h=12)
    single.content["frames"][0]["w"] = 21
    with pytest.raises(InputError, match="the images are 21x12"):
        single.masks_of_frames(clip)


def test_absolute_paths_stay(tmp_path) -> None:
    (tmp_path / "out").mkdir()
    copy = tmp_path / "out" / "copy.json"
    transforms(tmp_path, "/data/a.png", "b.png").save_copy(copy, ["masks/a.png", "masks/b.png"])
    frames = json.loads(copy.read_text())["frames"]
    assert [frame["file_path"] for frame in frames] == ["/data/a.png", "../b.png"]
    assert [frame["mask_path"] for frame in frames] == ["masks/a.png", "masks/b.png"]


def test_the_file_itself_is_never_replaced(tmp_path) -> None:
    found = transforms(tmp_path, "a.png")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="it is the file that is read"):
        found.save_copy(tmp_path / "link" / "transforms.json", ["masks/a.png"])


def test_paths_of_depth_are_rewritten_too(tmp_path) -> None:
    (tmp_path / "out").mkdir()
    found = transforms(tmp_path, "images/a.png")
    found.content["frames"][0]["depth_file_path"] = "depth/a.png"
    found.save_copy(tmp_path / "out" / "copy.json", ["masks/a.png"])
    (frame,) = json.loads((tmp_path / "out" / "copy.json").read_text())["frames"]
    assert frame == {
        "file_path": "../images/a.png",
        "depth_file_path": "../depth/a.png",
        "mask_path": "masks/a.png",
    }
