import json

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import InputError
from moseg.export.clips import find_clips
from tests.evaluation.folders import numbered, write_labels
from tests.export.scenes import blocks, make_clip
from tests.media import moving_square_frames, write_image, write_images, write_video


def masks(folder, count=3, height=12, width=20):
    write_labels(folder, numbered([blocks(1, height=height, width=width)] * count))


@pytest.mark.parametrize("inside", ["", "masks", "initial_preds"])
def test_masks_are_found_in_all_outputs(tmp_path, inside) -> None:
    masks(tmp_path / inside / "b10")
    masks(tmp_path / inside / "b9")
    clips = find_clips(tmp_path, None, None)
    assert [clip.name for clip in clips] == ["b9", "b10"]
    assert list(clips[0].files) == ["00000", "00001", "00002"]
    assert clips[0].images is None


def test_scenes_can_be_chosen_in_any_order(tmp_path) -> None:
    for name in "abc":
        masks(tmp_path / name)
    assert [clip.name for clip in find_clips(tmp_path, None, ["c", "a", "c"])] == ["c", "a"]
    with pytest.raises(InputError, match="no scene x; it has a, b, c"):
        find_clips(tmp_path, None, ["a", "x"])


def test_labels_are_the_ids_of_the_file(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(3, 255), blocks(0)])
    found = dict(clip.all_labels())
    assert list(found) == ["00000", "00001"]
    assert found["00000"].dtype == np.uint8
    assert np.array_equal(found["00000"], blocks(3, 255))
    assert not found["00001"].any()


def test_a_mask_of_another_size_is_refused(tmp_path) -> None:
    write_labels(tmp_path / "a", {"0": blocks(1), "1": blocks(1, width=26)})
    with pytest.raises(InputError, match=r"1\.png is 26x12 but 0\.png, the first .* is 20x12"):
        find_clips(tmp_path, None, None)


def cut_short(path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def in_colours(path) -> None:
    Image.open(path).convert("RGB").save(path)


def above_255(path) -> None:
    Image.fromarray(np.full((12, 20), 300, np.uint16)).save(path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(cut_short, "cannot be read"), (in_colours, "holds colours"), (above_255, "the id 300")],
)
def test_a_mask_that_cannot_be_used_is_told_before_any_is_read(tmp_path, damage, reason) -> None:
    masks(tmp_path / "a")
    damage(tmp_path / "a" / "00002.png")
    with pytest.raises(InputError, match=rf"00002\.png.*{reason}"):
        find_clips(tmp_path, None, None)


def test_images_keep_their_file_names_and_colours(tmp_path) -> None:
    frames = moving_square_frames(3, 12, 20, side=4)
    masks(tmp_path / "pred" / "walk")
    write_images(tmp_path / "images" / "walk", frames, ".png")
    images = find_clips(tmp_path / "pred", tmp_path / "images", None)[0].known_images()
    assert images.files == {f"0000{i}": f"0000{i}.png" for i in range(3)}
    assert images.size == (12, 20)
    assert len(images.index) == 3
    assert all(np.array_equal(*pair) for pair in zip(images.frames(), frames, strict=True))


def test_frames_of_a_video_are_numbered_png(tmp_path) -> None:
    masks(tmp_path / "pred" / "walk", height=48, width=64)
    video = write_video(tmp_path / "other.mp4", moving_square_frames(3))
    images = find_clips(tmp_path / "pred", video, None)[0].known_images()
    assert list(images.files.items())[-1] == ("00002", "00002.png")
    assert images.size == (48, 64)
    assert sum(1 for _ in images.frames()) == 3


def test_one_scene_may_have_images_of_any_name(tmp_path) -> None:
    masks(tmp_path / "pred" / "walk")
    folder = write_images(tmp_path / "frames", moving_square_frames(3, 12, 20, side=4))
    assert find_clips(tmp_path / "pred", folder, None)[0].known_images().scene.source == folder
    masks(tmp_path / "pred" / "run")
    with pytest.raises(InputError, match=r"one scene, but there are masks of 2: run, walk"):
        find_clips(tmp_path / "pred", folder, None)


def test_images_of_every_scene_must_be_there(tmp_path) -> None:
    make_clip(tmp_path, [blocks(1)], "a")
    masks(tmp_path / "pred" / "b")
    with pytest.raises(InputError, match="no images of the scene b; it has a"):
        find_clips(tmp_path / "pred", tmp_path / "images", None)
    assert len(find_clips(tmp_path / "pred", tmp_path / "images", ["a"])) == 1


def test_why_images_cannot_be_used_is_told(tmp_path) -> None:
    masks(tmp_path / "pred" / "a")
    with pytest.raises(InputError, match="no such file or folder"):
        find_clips(tmp_path / "pred", tmp_path / "nowhere", None)


def test_the_images_are_those_of_the_run(tmp_path) -> None:
    masks(tmp_path / "out" / "masks" / "walk")
    folder = write_images(tmp_path / "walk", moving_square_frames(3, 12, 20, side=4))
    run = {"scenes": [{"name": "walk", "source": str(folder)}]}
    (tmp_path / "out" / "run.json").write_text(json.dumps(run))
    assert find_clips(tmp_path / "out", None, None)[0].known_images().scene.source == folder
    folder.rename(tmp_path / "moved")
    assert find_clips(tmp_path / "out", None, None)[0].images is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scenes": [1]}', '{"scenes": [{"name": 1}]}'])
def test_a_damaged_run_file_leaves_the_images_unknown(tmp_path, text) -> None:
    masks(tmp_path / "masks" / "walk")
    (tmp_path / "run.json").write_text(text)
    assert find_clips(tmp_path, None, None)[0].images is None


def test_unknown_images_are_asked_for(tmp_path) -> None:
    masks(tmp_path / "walk")
    with pytest.raises(InputError, match=r"walk: .*--images"):
        find_clips(tmp_path, None, None)[0].known_images()


def test_frames_without_mask_and_masks_without_frame_are_named(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)] * 4)
    (tmp_path / "pred" / "walk" / "00002.png").unlink()
    clip = find_clips(tmp_path / "pred", tmp_path / "images", None)[0]
    with pytest.raises(InputError, match="no mask for the frames 00002 of"):
        clip.known_images()
    for number in (1, 2):
        (tmp_path / "images" / "walk" / f"0000{number}.jpg").unlink()
    clip = find_clips(tmp_path / "pred", tmp_path / "images", None)[0]
    with pytest.raises(InputError, match="has no frames 00001, of which"):
        clip.known_images()


def test_images_of_another_size_are_refused(tmp_path) -> None:
    masks(tmp_path / "pred" / "walk")
    folder = write_images(tmp_path / "walk", moving_square_frames(3, 24, 40, side=4))
    with pytest.raises(InputError, match=r"masks are 20x12, the images in .* 40x24"):
        find_clips(tmp_path / "pred", folder, None)[0].known_images()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_one_image_of_another_size_is_refused(tmp_path, suffix) -> None:
    masks(tmp_path / "pred" / "walk")
    folder = write_images(tmp_path / "walk", moving_square_frames(3, 12, 20, side=4), suffix)
    images = find_clips(tmp_path / "pred", folder, None)[0]
    assert images.known_images().size == (12, 20)
    write_image(folder / f"00002{suffix}", moving_square_frames(1, 24, 40, side=4)[0])
    images = find_clips(tmp_path / "pred", folder, None)[0]
    with pytest.raises(InputError, match=rf"00002\{suffix} is 40x24 but 00000\{suffix}, .* 20x12"):
        images.known_images()
