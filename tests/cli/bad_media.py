"""Inputs that cannot be used, made in a folder; `BAD` has what must be said of each."""

from __future__ import annotations

import os

import numpy as np

from tests.cli.commands import good_frames
from tests.media import write_audio, write_image, write_images, write_video


def no_such_path(folder):
    return folder / "gone.mp4"


def empty_folder(folder):
    (folder / "hollow").mkdir()
    return folder / "hollow"


def empty_video(folder):
    (folder / "zero.mp4").touch()
    return folder / "zero.mp4"


def text_as_video(folder):
    (folder / "text.mp4").write_text("This is a text.\n" * 50)
    return folder / "text.mp4"


def noise_as_video(folder):
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    return folder / "noise.mp4"


def audio_only(folder):
    return write_audio(folder / "sound.mp4")


def head_of_a_video(folder):
    path = write_video(folder / "head.mov", good_frames(2))
    os.truncate(path, 100)
    return path


def video_without_index(folder):
    path = write_video(folder / "phone.3gp", good_frames(8))
    os.truncate(path, path.stat().st_size // 2)
    return path


def mixed_sizes(folder):
    path = write_images(folder / "sizes", good_frames(3))
    write_image(path / "00001.png", good_frames(1)[0][:40])
    return path


def text_as_image(folder):
    path = write_images(folder / "one_text", good_frames(3))
    (path / "00001.png").write_text("no image")
    return path


def empty_image(folder):
    path = write_images(folder / "one_empty", good_frames(3))
    (path / "00002.png").write_bytes(b"")
    return path


def cut_png(folder):
    path = write_images(folder / "cut_png", good_frames(3))
    os.truncate(path / "00002.png", 500)
    return path


def cut_jpeg(folder):
    path = write_images(folder / "cut_jpeg", good_frames(3), ".jpg")
    os.truncate(path / "00000.jpg", 200)
    return path


def broken_link(folder):
    path = write_images(folder / "linked", good_frames(3))
    (path / "00001.png").unlink()
    (path / "00001.png").symlink_to("nowhere.png")
    return path


def float_image(folder):
    path = write_images(folder / "floats", good_frames(2))
    write_image(path / "00002.tif", np.zeros((48, 64), np.float32))
    return path


def two_images_of_one_frame(folder):
    path = write_images(folder / "twice", good_frames(3))
    write_image(path / "00002.jpg", good_frames(1)[0])
    return path


def images_and_videos(folder):
    path = write_images(folder / "both", good_frames(2))
    write_video(path / "clip.mp4", good_frames(2))
    return path


def nothing_to_see(folder):
    (folder / "texts").mkdir()
    (folder / "texts" / "notes.txt").write_text("no frames")
    return folder / "texts"


def image_as_input(folder):
    return write_image(folder / "single.png", good_frames(1)[0])


def pipe(folder):
    os.mkfifo(folder / "pipe.mp4")
    return folder / "pipe.mp4"


def frame_name_that_is_no_text(folder):
    path = write_images(folder / "bytes", good_frames(2))
    (path / "00001.png").rename(path / os.fsdecode(b"\xff.png"))
    return path


BAD = {
    no_such_path: "no such file or folder",
    empty_folder: "is empty",
    empty_video: "0 bytes",
    text_as_video: "is a text file",
    noise_as_video: "damaged or not in a video format",
    audio_only: "no video, only audio",
    head_of_a_video: "cut off before its video",
    video_without_index: "cut off before its index",
    mixed_sizes: "'00000.png' is 64x48 but '00001.png' is 64x40",
    text_as_image: "00001.png is empty, damaged or no image",
    empty_image: "00002.png is empty, damaged or no image",
    cut_png: "00002.png is empty, damaged or no image",
    cut_jpeg: "00000.jpg is empty, damaged or no image",
    broken_link: "00001.png cannot be read",
    float_image: "float32",
    two_images_of_one_frame: "'00002.jpg' and '00002.png'",
    images_and_videos: "both images and videos",
    nothing_to_see: "no video and no images",
    image_as_input: "is one image",
    pipe: "neither a file nor a folder",
    frame_name_that_is_no_text: r"'\udcff.png' is no valid UTF-8",
}
