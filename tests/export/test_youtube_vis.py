import json

import numpy as np
import pytest
from pycocotools import mask as official

from moseg.core.errors import ConfigError, InputError
from moseg.export.instances import Category, object_scores
from moseg.export.reshape import Reshape
from moseg.export.youtube_vis import Video, read_videos, write_youtube_vis
from tests.export.scenes import blocks, make_clip

SIZE = (12, 20)  # of `blocks`


def exported(clips, out, shape=Reshape(), **options):  # noqa: B008
    written = write_youtube_vis(clips, out, shape, **options)
    assert written.paths == (out / "instances.json", out / "results.json")
    annotations, results = (json.loads(path.read_text()) for path in written.paths)
    return annotations, results, written.notes


def decoded(segmentations) -> list[np.ndarray | None]:
    return [code and official.decode(code).astype(bool) for code in segmentations]


def check_track(entry, number: int, frames) -> None:
    """What `entry` says of each frame is what object `number` looks like there."""
    for found, frame in zip(decoded(entry["segmentations"]), frames, strict=True):
        if number in frame:
            assert np.array_equal(found, frame == number)
        else:
            assert found is None


def test_an_object_has_a_code_or_null_for_every_frame(tmp_path) -> None:
    frames = [blocks(3), blocks(), blocks(1, 3)]
    clip = make_clip(tmp_path, frames)
    annotations, results, _ = exported([clip], tmp_path / "out")
    tracks = annotations["annotations"]
    assert [(track["id"], track["track_id"]) for track in tracks] == [(1, 1), (2, 3)]
    assert len(results) == 2
    for number, track, result in zip((1, 3), tracks, results, strict=True):
        check_track(track, number, frames)
        check_track(result, number, frames)
    assert tracks[0]["areas"] == [None, None, 16]
    assert tracks[0]["bboxes"] == [None, None, [1, 1, 4, 4]]
    assert tracks[1]["areas"] == [16, None, 16]
    assert tracks[1]["bboxes"] == [[1, 1, 4, 4], None, [7, 1, 4, 4]]


def test_videos_have_size_length_and_file_names(tmp_path) -> None:
    clips = [
        make_clip(tmp_path, [blocks(1)] * count, name) for count, name in ((2, "run"), (1, "walk"))
    ]
    annotations, results, _ = exported(clips, tmp_path / "out")
    size = {"height": 12, "width": 20}
    assert annotations["videos"] == [
        {"id": 1, "file_names": ["run/00000.jpg", "run/00001.jpg"], "length": 2} | size,
        {"id": 2, "file_names": ["walk/00000.jpg"], "length": 1} | size,
    ]
    assert [track["video_id"] for track in annotations["annotations"]] == [1, 2]
    assert [result["video_id"] for result in results] == [1, 2]
    for track in annotations["annotations"]:
        assert (track["height"], track["width"], track["iscrowd"]) == (12, 20, 0)


def test_results_hold_what_the_server_reads_and_nothing_else(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    annotations, results, _ = exported([clip], tmp_path / "out", category=Category(4, "cat"))
    assert [set(result) for result in results] == [
        {"video_id", "score", "category_id", "segmentations"}
    ]
    assert results[0]["category_id"] == 4
    assert annotations["categories"][0]["name"] == "cat"
    assert isinstance(results[0]["segmentations"][0]["counts"], str)
    assert results[0]["segmentations"][0]["size"] == [12, 20]


def test_scores_are_those_of_the_run_and_where_it_tells_none_one_and_a_note(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1, 2)])
    _, results, notes = exported([clip], tmp_path / "out", scores={"walk": {2: 0.25}})
    assert [result["score"] for result in results] == [1.0, 0.25]
    assert "no score of 1 of 2 objects" in notes[0]
    _, results, notes = exported([clip], tmp_path / "out", scores={"walk": {1: 0.5, 2: 0.25}})
    assert [result["score"] for result in results] == [0.5, 0.25]
    assert notes == ()


def test_scores_are_read_from_run_json(tmp_path) -> None:
    objects = [{"id": 1, "score": 0.75, "frames": 3}, {"id": 9, "score": 0.5}]
    scenes = [{"name": "walk", "objects": objects}, {"name": "failed", "objects": None}]
    (tmp_path / "run.json").write_text(json.dumps({"scenes": scenes}))
    assert object_scores(tmp_path) == {"walk": {1: 0.75, 9: 0.5}, "failed": {}}


@pytest.mark.parametrize("text", [None, "{", "[]", '{"scenes": [{"name": "a", "objects": [7]}]}'])
def test_no_or_another_run_json_tells_no_scores(tmp_path, text) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    assert object_scores(tmp_path) == {}


def test_numbers_and_frames_are_those_of_the_data_set(tmp_path) -> None:
    frames = [blocks(1), blocks(2), blocks(1, 2)]
    clip = make_clip(tmp_path, frames)
    video = Video(41, ("walk/00002.jpg", "walk/00000.jpg"), SIZE)
    other = Video(7, ("run/00000.jpg",), SIZE)
    annotations, results, notes = exported([clip], tmp_path / "out", videos=[other, video])
    assert [entry["id"] for entry in annotations["videos"]] == [41]
    assert annotations["videos"][0]["length"] == 2
    for number, result in zip((1, 2), results, strict=True):
        assert result["video_id"] == 41
        check_track(result, number, [frames[2], frames[0]])
    assert "no masks for 1 of the 2 videos" in notes[0]


@pytest.mark.parametrize(
    ("video", "line"),
    [
        (Video(1, ("run/00000.jpg",), SIZE), "the data set has no video walk"),
        (Video(1, ("walk/00000.jpg", "walk/00005.jpg"), SIZE), "no mask for the frames 00005"),
        (Video(1, ("walk/00000.jpg",), (20, 12)), "masks are 20x12 but the video is 12x20"),
    ],
)
def test_a_data_set_that_does_not_fit_is_refused(tmp_path, video, line) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    with pytest.raises(InputError, match=line):
        write_youtube_vis([clip], tmp_path / "out", Reshape(), videos=[video])
    assert not (tmp_path / "out").exists()


def test_a_data_set_is_read_from_its_file(tmp_path) -> None:
    entry = {"id": 3, "file_names": ["a/00000.jpg", "a/00005.jpg"], "height": 12, "width": 20}
    (tmp_path / "valid.json").write_text(json.dumps({"videos": [entry | {"length": 2}]}))
    (video,) = read_videos(tmp_path / "valid.json")
    assert video == Video(3, ("a/00000.jpg", "a/00005.jpg"), SIZE)
    assert (video.scene, video.frames) == ("a", ["00000", "00005"])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"videos": []}',
        '{"videos": [{"id": 1}]}',
        '{"videos": [{"id": 1, "file_names": [], "height": 2, "width": 2}]}',
    ],
)
def test_a_file_that_is_no_data_set_is_said(tmp_path, text) -> None:
    (tmp_path / "valid.json").write_text(text)
    with pytest.raises(InputError, match=r"valid\.json"):
        read_videos(tmp_path / "valid.json")
    with pytest.raises(InputError, match="none"):
        read_videos(tmp_path / "none.json")


def test_objects_take_the_shape_asked_for_and_ids_have_no_opposite(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    annotations, _, _ = exported([clip], tmp_path / "out", Reshape(grow=-1))
    assert annotations["annotations"][0]["areas"] == [4]
    with pytest.raises(ConfigError, match="youtube-vis"):
        write_youtube_vis([clip], tmp_path / "out", Reshape(invert=True))
