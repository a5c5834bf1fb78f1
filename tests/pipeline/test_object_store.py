"""The built-in pipeline with its input and its output folder in a store."""

from __future__ import annotations

import json

import pytest

from moseg.cli.inference import main
from moseg.core.layout import output_layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.remote.mirror import Mirror
from moseg.core.scene import find_scenes
from moseg.pipeline.config import load_config
from moseg.pipeline.session import make_plan
from tests.cli.commands import good_frames
from tests.media import write_images
from tests.pipeline.runs import TIMED, start, tree

pytest_plugins = ("tests.s3",)


def run(mirror, bucket):
    scenes, problems = find_scenes([mirror.path(f"{bucket.url}/in")], mirror)
    assert problems == []
    plan = make_plan(load_config(), output_layout(mirror.path(f"{bucket.url}/out"), mirror))
    return LocalRunner().run(plan, scenes, Silent())


def test_the_store_has_the_bytes_of_a_run_on_a_disk(bucket, objects_clip, objects_run, tmp_path):
    bucket.put(f"in/{objects_clip.name}", objects_clip.read_bytes())
    first, second = Mirror(tmp_path / "first"), Mirror(tmp_path / "second")
    assert run(first, bucket)[0].failure is None
    expected = {name: data for name, data in tree(objects_run).items() if not name.endswith("/")}
    stored = bucket.tree("out/")
    stored.pop(f"cache/.{objects_clip.stem}.source")
    assert stored == expected
    assert run(second, bucket)[0].reused
    assert [path for path in second.copies.rglob("*") if path.is_file()] == []


@pytest.mark.slow
def test_moseg_run_reads_and_writes_urls_also_under_ray(bucket, clips, clips_run, tmp_path):
    for clip in clips.iterdir():
        bucket.put(f"in/{clip.name}", clip.read_bytes())
    command = ("run", f"{bucket.url}/in", "--out", f"{bucket.url}/out", "--scratch")
    said, told = start(*command, tmp_path / "a", "--ray", "local").communicate(timeout=120)
    assert "3 scenes done in" in said, told
    assert f"masks: {bucket.url}/out/masks" in said
    stored = {
        name: data
        for name, data in bucket.tree("out/").items()
        if not name.endswith((".source", *TIMED))
    }
    expected = {name: data for name, data in tree(clips_run).items() if not name.endswith("/")}
    assert stored == expected
    report = json.loads(bucket.get("out/run.json"))
    assert report["scenes"][0]["source"] == f"{bucket.url}/in/a.mp4"
    assert bucket.get("out/events.jsonl").count(b'"event": "scene"') == 3
    said, told = start(*command, tmp_path / "b").communicate(timeout=60)
    assert "nothing to do: 3 scenes finished by an earlier run" in said, told
    assert list((tmp_path / "b").rglob("*.mp4")) == []


def test_what_is_wrong_with_a_url_is_one_line(bucket, objects_clip, tmp_path):
    bucket.put("empty/readme.txt", "nothing here")
    process = start(
        "run", f"{bucket.url}/gone.mp4", f"{bucket.url}/empty", objects_clip,
        "--out", f"{bucket.url}/out", "--scratch", tmp_path, "--set", "masks.backend=light",
    )  # fmt: skip
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    errors = [line for line in told.splitlines() if line.startswith("error")]
    assert errors == [
        f"error: {bucket.url}/gone.mp4: no such object or folder; check the URL",
        f"error: {bucket.url}/empty holds no video and no images; "
        "give a video, or a folder of images or videos",
    ]
    scenes = json.loads(bucket.get("out/run.json"))["scenes"]
    assert [scene["status"] for scene in scenes] == ["done", "failed", "failed"]
    assert scenes[1]["source"] == f"{bucket.url}/gone.mp4"


def inference(*arguments):
    return main([str(argument) for argument in arguments])


def test_run_inference_keeps_its_layout_in_a_store(bucket, tmp_path, capsys):
    write_images(tmp_path / "images" / "walk", good_frames())
    for image in sorted((tmp_path / "images" / "walk").iterdir()):
        bucket.put(f"data/images/walk/{image.name}", image.read_bytes())
    flags = ("--step", 6, "--depths", "--tracks", "--dinos", "--motion_seg_infer")
    local = ("--data_dir", tmp_path / "images", "--motin_seg_dir", tmp_path / "mseg")
    assert inference(*local, *flags) == 0
    remote = (
        "--data_dir", f"{bucket.url}/data/images", "--motin_seg_dir", f"{bucket.url}/data/mseg",
    )  # fmt: skip
    assert inference(*remote, *flags, "--scratch", tmp_path / "s" / "a") == 0
    assert f"depths: {bucket.url}/data/depth_anything_v2" in capsys.readouterr().out
    stored = {
        name: data
        for name, data in bucket.tree("data/").items()
        if not name.endswith((".source", *TIMED))
    }
    expected = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for folder in ("images", ".moseg", "mseg", "depth_anything_v2", "bootstapir", "dinos")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file() and path.name not in TIMED
    }
    assert stored == expected
    assert inference(*remote, *flags, "--scratch", tmp_path / "s" / "b") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_video_in_a_store_is_refused_by_run_inference(bucket, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        inference("--video_path", f"{bucket.url}/a.mp4", "--scratch", tmp_path)
    assert ended.value.code == 2
    assert "--video_path takes a file of this machine" in capsys.readouterr().err
