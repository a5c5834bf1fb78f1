"""Wrong settings and flags: one line on standard error, exit code 2, nothing written."""

from __future__ import annotations

import pytest

from moseg.pipeline.session import Session
from tests.cli.commands import (
    good_frames,
    moseg,
    moseg_alone,
    run_inference,
    run_inference_alone,
)
from tests.media import write_image, write_images

SETTINGS = {
    ("--preset", "fancy"): "unknown preset 'fancy': choose builtin",
    ("--set", "preset=[1]"): "unknown preset '[1]'",
    ("--set", "tracks.spacin=8"): "unknown key 'tracks.spacin', did you mean 'tracks.spacing'",
    ("--set", "traks.spacing=8"): "unknown key 'traks'",
    ("--set", "flow.pixels=10"): "flow.pixels: input should be greater than or equal to 1000",
    ("--set", "labels.threshold=1"): "labels.threshold: input should be less than 1",
    ("--set", "masks.decay=.nan"): "masks.decay: input should be a finite number",
    ("--set", "frames.max_side=many"): "frames.max_side: input should be a valid integer",
    ("--set", "tracks.step=3"): "tracks.step is 3 and dinos.step is 5",
    ("--set", "flow=3"): "flow: input should be a valid dictionary",
    ("--set", "flow.pixels"): "setting 'flow.pixels' must look like section.key=value",
    ("--set", "flow.pixels=["): "the value is not valid YAML",
    ("--set", "device=abacus"): "device 'abacus' is unknown",
    ("--workers", "0"): "0 workers",
    ("--workers", "two"): "'--workers'",
    ("--nonsense",): "No such option: --nonsense",
    ("--config", "gone.yaml"): "gone.yaml: no such configuration file",
}


@pytest.mark.parametrize("arguments", SETTINGS)
def test_a_wrong_setting_is_named(tmp_path, good, arguments):
    outcome = moseg("run", good, "--out", tmp_path / "out", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.one_line.startswith("error: ")
    assert SETTINGS[arguments] in outcome.one_line
    assert list(tmp_path.iterdir()) == []


FILES = {
    "traks: {step: 3}": "unknown key 'traks'",
    "tracks: {spacin: 3}": "unknown key 'tracks.spacin', did you mean 'tracks.spacing'",
    "masks: {decay: 1.5}\nflow: {pixels: 1}": "flow.pixels: input should be greater",
    "preset: fancy": "unknown preset 'fancy'",
    "preset: {a: 1}": "unknown preset",
    "3: 4": "keys should be strings",
    "- flow": "must hold keys and values, not a list",
    "flow: {": "is not valid YAML",
    "flow: !!python/name:os.system x": "is not valid YAML",
    "[" * 5000: "is nested too deeply",
    b"\xff\xfe\x00": "cannot be read as a configuration file",
}


@pytest.mark.parametrize("content", FILES, ids=range(len(FILES)))
def test_a_wrong_configuration_file_is_named(tmp_path, good, content):
    path = tmp_path / "settings.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = moseg("run", good, "--out", tmp_path / "out", "--config", path)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.one_line.startswith("error: ")
    assert FILES[content] in outcome.one_line
    if "preset" not in outcome.one_line:
        assert str(path) in outcome.one_line
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "Missing argument 'INPUT...'; see moseg run --help"),
        (["run", "a.mp4"], "Missing option '--out' / '-o'; see moseg run --help"),
        (["run", "--dash.mp4", "-o", "x"], "No such option: --dash.mp4"),
        (["fly"], "No such command 'fly'; see moseg --help"),
    ],
)
def test_wrong_usage_is_one_line_too(arguments, words):
    outcome = moseg(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.one_line.startswith(f"error: {words}")


def test_real_processes_end_the_same_way(tmp_path, good):
    out = tmp_path / "out"
    for arguments, words in [
        (("run", good, "--out", out, "--set", "nope=1"), "unknown key 'nope'"),
        (("run", good, "--out", out, "--preset", "fancy"), "unknown preset 'fancy'"),
        (("run", good, "--out", good / "x"), "cannot be written (Not a directory)"),
        (("run", tmp_path / "gone.mp4", "--out", tmp_path), "gone.mp4: no such file"),
        (("run", good), "Missing option '--out'"),
    ]:
        outcome = moseg_alone(*arguments)
        assert outcome.code == 2
        assert outcome.one_line.startswith("error: ")
        assert words in outcome.one_line
    outcome = run_inference_alone("--data_dir", tmp_path / "gone", "--depths")
    assert outcome.code == 2
    assert "gone is no folder" in outcome.one_line


@pytest.mark.parametrize("call", [moseg, run_inference])
def test_a_fault_of_moseg_ends_in_one_line_and_another_code(tmp_path, good, monkeypatch, call):
    def broken(*_):
        raise KeyError("no\nsuch thing")

    monkeypatch.setattr(Session, "run", broken)
    monkeypatch.setattr("moseg.cli.inference.run_request", broken)
    arguments = ("run", good, "--out", tmp_path) if call is moseg else ("--data_dir", tmp_path)
    outcome = call(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert "error: unexpected KeyError in test_bad_settings.py:" in outcome.one_line
    assert outcome.one_line.endswith("please report it")


@pytest.fixture
def root(tmp_path):
    """A data root with one scene."""
    write_images(tmp_path / "images" / "a", good_frames(4))
    return tmp_path


FLAGS = {
    "--depths": "give either --video_path or --data_dir",
    "--data_dir {root}/images --video_path {root}/v.mp4 --depths": "give either --video_path or",
    "--data_dir {root}/gone --depths": "{root}/gone is no folder; --data_dir takes",
    "--data_dir {root}/images/a --depths": "{root}/images/a holds images itself",
    "--data_dir {root}/images/a/00000.png --depths": "00000.png is no folder",
    "--data_dir {root}/empty --depths": "{root}/empty is empty",
    "--data_dir {root}/texts --depths": "{root}/texts holds no video and no images",
    "--data_dir {root}/videos --depths": "{root}/videos holds no scene",
    "--data_dir {root}/images": "no stage is asked for",
    "--data_dir {root}/images --sam2 --motin_seg_dir {root}/m": "--sam2 needs --sam2dir",
    "--data_dir {root}/images --sam2 --sam2dir {root}/s": "need --motin_seg_dir",
    "--data_dir {root}/images --motion_seg_infer": "need --motin_seg_dir",
    "--data_dir {root}/images --depths --step 0": "--step is 0; it must be at least 1",
    "--data_dir {root}/images --depths --step -3": "--step is -3; it must be at least 1",
    "--data_dir {root}/images --depths --step x": "argument --step: invalid int value: 'x'",
    "--data_dir {root}/images --depths --gpus 0 0": "--gpus takes different numbers",
    "--data_dir {root}/images --depths --gpus -1": "--gpus takes different numbers",
    "--data_dir {root}/images --depths --config_file {root}/bad.yaml": "unknown key 'traks'",
    "--data_dir {root}/images --depths --config_file {root}/no.yaml": "no such configuration",
    "--data_dir {root}/images --tracks --track_model cotracker": "no cotracker backend",
    "--data_dir {root}/images --tracks --track_model x": "argument --track_model",
    "--data_dir {root}/images --dynamic_mask": "--dynamic_mask needs",
    "--data_dir {root}/images --depts": "unrecognized arguments: --depts",
    "--video_path {root}/images --depths": "images is a folder; --video_path takes one video",
}


@pytest.mark.parametrize("flags", FLAGS)
def test_wrong_flags_of_run_inference(root, flags):
    (root / "empty").mkdir()
    (root / "texts").mkdir()
    (root / "texts" / "x.txt").touch()
    (root / "videos").mkdir()
    (root / "videos" / "x.mp4").touch()
    (root / "bad.yaml").write_text("traks: {step: 3}")
    before = sorted(root.rglob("*"))
    outcome = run_inference(*flags.format(root=root).split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.one_line.startswith("error: ")
    assert FLAGS[flags].format(root=root) in outcome.one_line
    assert sorted(root.rglob("*")) == before


def test_a_stage_whose_input_is_missing_names_the_flag_to_run_first(root):
    data = ("--data_dir", root / "images", "--config_file", root / "fast.yaml")
    (root / "fast.yaml").write_text("flow: {pixels: 3000}")
    labels = ("--motion_seg_infer", "--motin_seg_dir", root / "m")
    masks = ("--sam2", "--motin_seg_dir", root / "m", "--sam2dir", root / "s")
    for missing, hint in [
        ("depths", "--depths"),
        ("tracks", "--tracks"),
        ("dinos", "--dinos"),
        ("labels", "--motion_seg_infer"),
    ]:
        outcome = run_inference(*data, *(masks if missing == "labels" else labels))
        assert outcome.code == 2
        assert outcome.one_line == (
            f"error: a: {missing} cannot be used (not made yet); run with {hint}"
            f"{' and the same --motin_seg_dir' if missing == 'labels' else ''} first"
        )
        first = labels if missing == "labels" else (f"--{missing}",)
        made = run_inference(*data, *first)
        assert (made.code, made.errors) == (0, [])
    assert run_inference(*data, *masks).code == 0
    assert len(list((root / "s/initial_preds/a").iterdir())) == 4


def test_a_bad_scene_of_a_data_root_costs_itself_alone(root, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write_images(other / "images" / "a", good_frames(4))
    stages = ("--depths", "--tracks", "--dinos")
    assert run_inference("--data_dir", other / "images", *stages).code == 0
    write_image(write_images(root / "images" / "bad", good_frames(3)) / "x.jpg", good_frames(1)[0])
    (root / "images" / "bad" / "00001.png").write_text("no image")
    outcome = run_inference("--data_dir", root / "images", *stages)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert f"{root}/images/bad/00001.png is empty, damaged or no image" in line
    for folder in ("depth_anything_v2", "bootstapir", "dinos"):
        ours, theirs = root / folder / "a", other / folder / "a"
        made = {path.name: path.read_bytes() for path in ours.iterdir()}
        assert made == {path.name: path.read_bytes() for path in theirs.iterdir()}
        assert not (root / folder / "bad").exists()


@pytest.mark.parametrize(
    ("content", "words"), [("no video", "is a text file"), (None, "no such file or folder")]
)
def test_a_bad_video_for_run_inference(tmp_path, content, words):
    video = tmp_path / "videos" / "bad.mp4"
    if content:
        video.parent.mkdir()
        video.write_text(content)
    outcome = run_inference("--video_path", video, "--depths")
    assert outcome.code == 2
    (line,) = outcome.errors
    assert str(video) in line
    assert words in line
    left = {path.name for path in tmp_path.glob("videos/*")}
    assert left == ({"bad.mp4", ".moseg"} if content else set())
