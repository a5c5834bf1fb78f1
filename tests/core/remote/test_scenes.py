"""Finding scenes in a store, by the rules for folders on a disk."""

from __future__ import annotations

import pytest

from moseg.core.errors import InputError
from moseg.core.scene import Scene, find_scenes

pytest_plugins = ("tests.s3",)


def find(mirror, *urls):
    return find_scenes([mirror.path(url) for url in urls], mirror)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_video_an_image_folder_and_a_folder_of_both(mirror, bucket, slash):
    keys = ("one.MP4", "two/0.png", "two/sub/1.mp4", "more/clip10.mov", "more/clip2.mp4")
    more = ("more/notes.txt", "more/.hidden.mp4", "more/clip3/1.png", "more/.git/1.png")
    for key in (*keys, *more, "more/empty/", "more/deep/er/1.png", "more/", "twofold/1.png"):
        bucket.put(key, "x")
    url = bucket.url
    scenes, problems = find(mirror, f"{url}/one.MP4", f"{url}/two{slash}", f"{url}/more{slash}")
    assert problems == []
    assert scenes == [
        Scene("one", mirror.path(f"{url}/one.MP4"), "video", mirror),
        Scene("two", mirror.path(f"{url}/two"), "images", mirror),
        Scene("clip2", mirror.path(f"{url}/more/clip2.mp4"), "video", mirror),
        Scene("clip3", mirror.path(f"{url}/more/clip3"), "images", mirror),
        Scene("clip10", mirror.path(f"{url}/more/clip10.mov"), "video", mirror),
    ]


def test_a_whole_bucket(mirror, bucket):
    bucket.put("a.mp4", "x")
    bucket.put("b/1.png", "x")
    scenes, problems = find(mirror, bucket.url)
    assert ([scene.name for scene in scenes], problems) == (["a", "b"], [])


def test_a_named_object_of_unknown_suffix_is_tried_as_video(mirror, bucket):
    assert find(mirror, bucket.put("a.dat", "x"))[0][0].kind == "video"


@pytest.mark.parametrize(
    ("keys", "url", "message"),
    [
        ((), "gone.mp4", "no such object or folder"),
        (("gone2.mp4",), "gone", "no such object or folder"),
        (("hidden/.0.png",), "hidden", "is empty"),
        (("empty/",), "empty", "no such object or folder"),
        (("neither/notes.txt",), "neither", "no video and no images"),
        (("nested/x/y/1.png",), "nested", "no video and no images"),
        (("one.png",), "one.png", "give the folder"),
        (("both/1.png", "both/a.mp4"), "both", "both images and videos .'a.mp4'"),
        (("bad/a\\b.mp4",), "bad/a\\b.mp4", "holds a slash"),
    ],
)
def test_problems_are_one_line_and_do_not_hide_good_scenes(mirror, bucket, keys, url, message):
    for key in keys:
        bucket.put(key, "x")
    good = bucket.put("good.mp4", "x")
    scenes, problems = find(mirror, f"{bucket.url}/{url}", good)
    assert [scene.name for scene in scenes] == ["good"]
    assert len(problems) == 1
    assert isinstance(problems[0].error, InputError)
    assert f"{bucket.url}/{url}" in str(problems[0].error)
    with pytest.raises(InputError, match=message):
        raise problems[0].error


def test_no_such_bucket(mirror, s3_endpoint):
    scenes, problems = find(mirror, "s3://no-such-bucket/a.mp4")
    assert scenes == []
    assert "there is no such bucket" in str(problems[0].error)


def test_one_name_twice_refuses_both_wherever_they_are(mirror, bucket, tmp_path):
    here = tmp_path / "a.mp4"
    here.write_text("x")
    there = mirror.path(bucket.put("in/a.mp4", "x"))
    scenes, problems = find_scenes([here, there, mirror.path(f"{bucket.url}/in")], mirror)
    assert scenes == []
    assert [problem.source for problem in problems] == [here, there]


def test_an_input_elsewhere_is_looked_for_on_the_disk(mirror, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("x")
    assert find_scenes([path], mirror)[0] == [Scene("a", path, "video")]
