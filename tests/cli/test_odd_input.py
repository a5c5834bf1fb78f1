"""Odd input that works, with a sentence where something is missing."""

from __future__ import annotations

import json
import os
import shutil

import av
import numpy as np
import pytest
from PIL import Image

from moseg.core.masks import read_mask_png
from moseg.core.naming import natural_key
from tests.cli.commands import (
    FAST,
    good_frames,
    moseg,
    moseg_alone,
    results,
    run_inference,
)
from tests.media import write_image, write_images, write_video


def masks_of(out, scene):
    """Object ids by frame name."""
    return {path.stem: read_mask_png(path) for path in sorted((out / "masks" / scene).iterdir())}


def video_size(path):
    """Frames that decode, height and width."""
    with av.open(f"file:{path}") as container:
        frames = [(frame.height, frame.width) for frame in container.decode(video=0)]
    return len(frames), *frames[0]


def notes_of(out):
    """The sentences in `run.json` about its only scene."""
    (scene,) = json.loads((out / "run.json").read_text(encoding="utf-8"))["scenes"]
    assert scene["status"] == "done"
    return scene["notes"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_of_a_truncated_video_what_decodes_is_used_and_said(tmp_path, suffix):
    video = write_video(tmp_path / f"cut{suffix}", good_frames(10) * 2)
    os.truncate(video, video.stat().st_size * 2 // 3)
    outcome = moseg_alone("run", video, "--out", tmp_path / "out", *FAST)
    assert outcome.code == 0, outcome
    masks = masks_of(tmp_path / "out", "cut")
    assert 5 < len(masks) < 20
    sentence = next(note for note in outcome.notes if "file is cut or damaged" in note)
    assert sentence.startswith(f"note: cut: cut{suffix}: ")
    if suffix == ".mp4":
        assert f"{len(masks)} of 20 promised frames decode" in sentence
    else:
        assert f"those {len(masks)} frames are used" in sentence
    assert outcome.strays("cut") == []
    assert sentence.removeprefix("note: cut: ") in notes_of(tmp_path / "out")
    assert video_size(tmp_path / "out/videos/cut.mp4")[0] == len(masks)


def test_a_truncated_video_for_run_inference(tmp_path):
    video = write_video(tmp_path / "cut.mp4", good_frames(13))
    os.truncate(video, video.stat().st_size * 2 // 3)
    outcome = run_inference("--video_path", video, "--depths")
    assert outcome.code == 0
    images = list((tmp_path / "images/cut").iterdir())
    assert 1 < len(images) < 13
    assert any(f"{len(images)} of 13 promised frames decode" in note for note in outcome.notes)
    assert len(list((tmp_path / "depth_anything_v2/cut").iterdir())) == len(images)


LITTLE = {
    "one frame": ((1, 48, 64), "1 frame of 64x48 pixels is too little"),
    "two frames": ((2, 48, 64), "2 frames of 64x48 pixels are too little"),
    "8x8 pixels": ((6, 8, 8), "6 frames of 8x8 pixels are too little"),
    "one pixel": ((4, 1, 1), "4 frames of 1x1 pixels are too little"),
    "a line": ((4, 1, 48), "4 frames of 48x1 pixels are too little"),
}


@pytest.mark.parametrize("kind", ["video", "images"])
@pytest.mark.parametrize("case", LITTLE)
def test_too_little_to_see_motion_gives_empty_masks_and_says_so(tmp_path, case, kind):
    (count, height, width), sentence = LITTLE[case]
    frames = [frame[:height, :width] for frame in good_frames(count)]
    write = {"video": lambda: write_video(tmp_path / "small.mkv", frames, codec="ffv1")}
    path = write.get(kind, lambda: write_images(tmp_path / "small", frames))()
    outcome = moseg("run", path, "--out", tmp_path / "out", *FAST)
    assert (outcome.code, outcome.errors) == (0, [])
    assert f"note: small: {sentence} to see motion" in outcome.notes
    assert "note: small: nothing moves: all masks are empty" in outcome.notes
    masks = masks_of(tmp_path / "out", "small")
    assert list(masks) == [f"{i:05d}" for i in range(count)]
    assert {mask.shape for mask in masks.values()} == {(height, width)}
    assert not any(mask.any() for mask in masks.values())
    even = (height + height % 2, width + width % 2)
    assert video_size(tmp_path / "out/videos/small.mp4") == (count, *even)
    with Image.open(tmp_path / "out/previews/small.png") as sheet:
        sheet.verify()


@pytest.mark.parametrize("kind", ["video", "images"])
@pytest.mark.parametrize(("height", "width"), [(47, 63), (47, 64), (48, 63)])
def test_odd_sizes(tmp_path, height, width, kind):
    frames = [frame[:height, :width] for frame in good_frames()]
    if kind == "video":
        path = write_video(tmp_path / "odd.mp4", frames)
    else:
        path = write_images(tmp_path / "odd", frames)
    outcome = moseg("run", path, "--out", tmp_path / "out", *FAST)
    assert (outcome.code, outcome.errors) == (0, [])
    masks = masks_of(tmp_path / "out", "odd")
    assert {mask.shape for mask in masks.values()} == {(height, width)}
    assert all(mask.any() for mask in masks.values())
    even = (height + height % 2, width + width % 2)
    assert video_size(tmp_path / "out/videos/odd.mp4") == (len(frames), *even)


def plain(i, frame):
    return ".png", frame


def sixteen_bit(i, frame):
    return ".png", frame.astype(np.uint16) * 257


def alpha(i, frame):
    return ".png", np.dstack([frame, np.full(frame.shape[:2], 40 * i % 256, np.uint8)])


def sixteen_bit_alpha(i, frame):
    return ".tif", alpha(i, frame)[1].astype(np.uint16) * 257


def all_kinds(i, frame):
    suffix = (".png", ".tif", ".bmp", ".png")[i % 4]
    return suffix, (sixteen_bit_alpha(i, frame)[1] if i % 4 < 2 else frame)


def grey(i, frame):
    return ".png", frame[:, :, 1]


def sixteen_bit_grey(i, frame):
    return ".tif", frame[:, :, 1].astype(np.uint16) * 257


def grey_in_colour(i, frame):
    return ".bmp", np.repeat(frame[:, :, 1:2], 3, axis=2)


@pytest.mark.parametrize(
    ("kinds", "same_as"),
    [
        ((sixteen_bit, alpha, sixteen_bit_alpha, all_kinds), plain),
        ((grey, sixteen_bit_grey), grey_in_colour),
    ],
)
def test_depth_alpha_and_grey_change_nothing(tmp_path, kinds, same_as):
    for kind in (same_as, *kinds):
        folder = tmp_path / "in" / kind.__name__
        folder.mkdir(parents=True)
        for i, frame in enumerate(good_frames()):
            suffix, pixels = kind(i, frame)
            write_image(folder / f"{i}{suffix}", pixels)
    outcome = moseg("run", tmp_path / "in", "--out", tmp_path / "out", *FAST)
    assert (outcome.code, outcome.errors) == (0, [])
    expected = masks_of(tmp_path / "out", same_as.__name__)
    assert all(mask.any() for mask in expected.values())
    for kind in kinds:
        found = masks_of(tmp_path / "out", kind.__name__)
        assert list(found) == list(expected)
        assert all(np.array_equal(found[name], expected[name]) for name in expected), kind


NAMES = [
    *("two  spaces and one at the end ", "ünïcödé 日本語\u3000動画 e\u0301 👩\u200d👧"),
    *('it\'s "quoted" `$HOME`', "--dash", "-o", "[red]:car:[bold", "a:b;#*?", "100%d {scene}"),
    *("~", "...", ".hidden", "é" * 100),
]


def test_names_of_scenes(tmp_path, good, undisturbed, monkeypatch):
    monkeypatch.chdir(tmp_path)
    videos = [shutil.copy(good, f"{name}.mp4") for name in NAMES]
    outcome = moseg("run", "--out", "out", *FAST, "--", *videos)
    assert (outcome.code, outcome.errors) == (0, [])
    assert outcome.strays(*NAMES) == []
    assert f"{len(NAMES)} scenes done" in outcome.out
    for name in NAMES:
        assert f"{name}: masks done" in outcome.err
        found = results(tmp_path / "out", name)
        assert found.keys() == undisturbed.keys()
        masks = [key for key in found if key.startswith("masks/")]
        assert all(found[key] == undisturbed[key] for key in (*masks, "videos")), name
    scenes = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))["scenes"]
    assert [scene["name"] for scene in scenes] == NAMES
    again = moseg("run", "--out", "out", *FAST, "--", *videos)
    assert again.out.startswith(f"nothing to do: {len(NAMES)} scenes")


@pytest.mark.parametrize("out", ["a b", "a:b", ":car:", "-x", "ünï\u3000日本", "[red]", b"\xff"])
def test_names_of_output_folders(tmp_path, good, undisturbed, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(out)
    outcome = moseg("run", good, f"--out={name}", *FAST)
    assert (outcome.code, outcome.errors) == (0, [])
    assert results(tmp_path / name, "good") == undisturbed
    shown = name.encode("utf-8", "backslashreplace").decode()
    assert f"masks: {shown}/masks" in outcome.out


def test_names_of_frames(tmp_path):
    names = ["-o", "--x", "1", "2", "10", "a b", "a  b", "ü", "日本", "[red]", "it's", "x" * 251]
    folder = tmp_path / "--frames"
    folder.mkdir()
    ordered = sorted(names, key=natural_key)
    for name, frame in zip(ordered, good_frames(len(names)), strict=True):
        write_image(folder / f"{name}.png", frame)
    outcome = moseg("run", "--out", tmp_path / "out", *FAST, "--", folder)
    assert (outcome.code, outcome.errors) == (0, [])
    masks = masks_of(tmp_path / "out", "--frames")
    assert set(masks) == set(names)
    assert all(mask.any() for mask in masks.values())


def test_a_terminal_without_unicode(tmp_path, good):
    video = shutil.copy(good, tmp_path / "ünï日本.mp4")
    variables = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C.UTF-8"}
    outcome = moseg_alone("run", video, "--out", tmp_path / "ü", *FAST, environment=variables)
    assert outcome.code == 0
    assert "Traceback" not in outcome.err
    assert len(list((tmp_path / "ü/masks/ünï日本").iterdir())) == 8
