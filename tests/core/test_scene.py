"""Finding scenes, and names that stay inside the output folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import InputError, one_line
from moseg.core.scene import Scene, check_scene_name, find_scenes, image_files
from tests.media import write_image

PIXELS = np.zeros((4, 4, 3), np.uint8)


def _images(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or ("0.png",):
        write_image(folder / name, PIXELS)
    return folder


def _file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a/b", "/", "../x", "a\\b", "a\0b", "a\nb", "a\tb", "\x1b[31m", "\x7f"),
        *("\x85", "\udcff", "ü" * 101, "a" * 201),
    ],
)
def test_names_that_cannot_be_used(name: str) -> None:
    with pytest.raises(InputError) as caught:
        check_scene_name(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name",
    ["dog", "...", ".hidden", "a b", "日本", 'it\'s "it"', "-rf", "--out", "a..b", "ü" * 100],
)
def test_odd_names_that_work(name: str) -> None:
    assert check_scene_name(name) == name


@given(st.text(max_size=30))
def test_an_accepted_name_stays_in_its_folder(name: str) -> None:
    try:
        check_scene_name(name)
    except InputError:
        return
    assert (Path("/out") / name).parent == Path("/out")
    assert os.path.normpath(f"/out/{name}/mask.png") == f"/out/{name}/mask.png"


def test_a_scene_checks_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="output folder"):
        Scene("..", tmp_path, "images")


def test_a_video_an_image_folder_and_a_folder_of_both(tmp_path: Path) -> None:
    video = _file(tmp_path / "one.MP4")
    frames = _images(tmp_path / "two")
    folder = tmp_path / "more"
    _file(folder / "clip10.mov")
    _file(folder / "clip2.mp4")
    _file(folder / "notes.txt")
    _file(folder / ".hidden.mp4")
    _images(folder / "clip3")
    _images(folder / ".git")
    (folder / "empty").mkdir()
    scenes, problems = find_scenes([video, frames, folder])
    assert problems == []
    assert scenes == [
        Scene("one", video, "video"),
        Scene("two", frames, "images"),
        Scene("clip2", folder / "clip2.mp4", "video"),
        Scene("clip3", folder / "clip3", "images"),
        Scene("clip10", folder / "clip10.mov", "video"),
    ]


@pytest.mark.parametrize(
    "name", ["a b", "ünï 日本", 'it\'s "it"', "-rf", "--out=x", "50%d", "a:b", "$HOME", "a;b|c"]
)
def test_odd_file_names(tmp_path: Path, name: str) -> None:
    video = _file(tmp_path / f"{name}.mp4")
    scenes, problems = find_scenes([video])
    assert (scenes, problems) == ([Scene(name, video, "video")], [])
    scenes, problems = find_scenes([_images(tmp_path / "in" / name)])
    assert (scenes[0].name, problems) == (name, [])


def test_sources_are_absolute_and_dots_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _images(tmp_path / "walk")
    (folder / "inner").mkdir()
    monkeypatch.chdir(folder)
    assert find_scenes([Path()])[0] == [Scene("walk", folder, "images")]
    assert find_scenes([Path("inner/..")])[0] == [Scene("walk", folder, "images")]
    monkeypatch.chdir(tmp_path)
    assert find_scenes([Path("walk")])[0] == [Scene("walk", folder, "images")]


def test_a_link_keeps_its_own_name(tmp_path: Path) -> None:
    link = tmp_path / "nice.mp4"
    link.symlink_to(_file(tmp_path / "store" / "0af3.bin"))
    assert find_scenes([link])[0] == [Scene("nice", link, "video")]


def test_a_named_file_of_unknown_suffix_is_tried_as_video(tmp_path: Path) -> None:
    assert find_scenes([_file(tmp_path / "a.dat")])[0][0].kind == "video"


def test_problems_do_not_hide_good_scenes(tmp_path: Path) -> None:
    good = _file(tmp_path / "good.mp4")
    (tmp_path / "empty").mkdir()
    hidden = tmp_path / "only_hidden"
    _images(hidden, ".0.png")
    _file(tmp_path / "neither" / "notes.txt")
    (tmp_path / "nested" / "x").mkdir(parents=True)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    bad = {
        tmp_path / "gone.mp4": "no such file or folder",
        tmp_path / ("x" * 300): "cannot be opened",
        Path("nul\0byte"): "cannot be opened|no such file",
        tmp_path / "empty": "is empty",
        hidden: "is empty",
        tmp_path / "neither": "no video and no images",
        tmp_path / "nested": "no video and no images",
        pipe: "neither a file nor a folder",
        write_image(tmp_path / "one.png", PIXELS): "give the folder",
    }
    for path, message in bad.items():
        scenes, problems = find_scenes([path, good])
        assert [scene.name for scene in scenes] == ["good"]
        assert len(problems) == 1
        assert isinstance(problems[0].error, InputError)
        with pytest.raises(InputError, match=message):
            raise problems[0].error
        assert one_line(path.name[:20]) in str(problems[0].error)
    scenes, problems = find_scenes([good, *bad])
    assert (len(scenes), len(problems)) == (1, len(bad))


def test_a_link_that_loops(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    scenes, problems = find_scenes([loop])
    assert (scenes, len(problems)) == ([], 1)


def test_images_beside_videos_are_not_guessed_at(tmp_path: Path) -> None:
    _images(tmp_path, "cover.jpg")
    _file(tmp_path / "a.mp4")
    scenes, problems = find_scenes([tmp_path])
    assert scenes == []
    assert "both images and videos" in str(problems[0].error)


def test_a_name_that_leaves_the_output_folder(tmp_path: Path) -> None:
    scenes, problems = find_scenes([_file(tmp_path / "...mp4"), _file(tmp_path / "ok.mp4")])
    assert [scene.name for scene in scenes] == ["ok"]
    assert "output folder" in str(problems[0].error)


def test_bad_names_inside_a_folder_spare_the_others(tmp_path: Path) -> None:
    _file(tmp_path / "ok.mp4")
    _file(tmp_path / "a\\b.mp4")
    _file(tmp_path / "tab\there.mp4")
    _file(tmp_path / os.fsdecode(b"bad\xff.mp4"))
    scenes, problems = find_scenes([tmp_path])
    assert [scene.name for scene in scenes] == ["ok"]
    assert len(problems) == 3


def test_one_name_twice_refuses_both_and_names_both(tmp_path: Path) -> None:
    first, second = _file(tmp_path / "a" / "clip.mp4"), _file(tmp_path / "b" / "clip.mov")
    third = _images(tmp_path / "c" / "clip")
    scenes, problems = find_scenes([first, second, _file(tmp_path / "other.mp4"), third])
    assert [scene.name for scene in scenes] == ["other"]
    assert [problem.source for problem in problems] == [first, second, third]
    for problem in problems:
        assert all(str(path) in str(problem.error) for path in (first, second, third))


def test_one_source_twice_is_one_scene(tmp_path: Path) -> None:
    video = _file(tmp_path / "clip.mp4")
    scenes, problems = find_scenes([video, tmp_path, tmp_path / "." / "clip.mp4"])
    assert ([scene.source for scene in scenes], problems) == ([video], [])


def test_image_files_are_sorted_and_visible(tmp_path: Path) -> None:
    _images(tmp_path, "f10.png", "f2.JPG", ".f1.png")
    _file(tmp_path / "f3.txt")
    (tmp_path / "f4.png").mkdir()
    assert [path.name for path in image_files(tmp_path)] == ["f2.JPG", "f10.png"]
    with pytest.raises(InputError, match="cannot be listed"):
        image_files(tmp_path / "gone")
