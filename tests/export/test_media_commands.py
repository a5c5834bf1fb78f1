"""The commands as a person gives them; what they write is tested form by form."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from moseg.cli import export_media
from moseg.core.errors import ConfigError
from tests.evaluation.folders import numbered, write_labels
from tests.export.scenes import blocks, make_clip

VIDEOS = {
    "green-screen": "walk_green_screen.mp4",
    "alpha": "walk_alpha.mp4",
    "prores": "walk_prores.mov",
}

app = typer.Typer()
for command in ("coco", "youtube_vis", "green_screen", "alpha", "prores"):
    app.command(command.replace("_", "-"))(getattr(export_media, command))


def run(root: Path, *arguments: str) -> tuple[str, str]:
    """What a command that succeeds prints, and what it warns of."""
    folders = ["--pred", str(root / "pred"), "--out", str(root / "out")]
    result = CliRunner().invoke(app, [*arguments, *folders], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout, result.stderr


@pytest.mark.parametrize("form", VIDEOS)
def test_a_video_form_says_where_its_video_is(tmp_path: Path, form: str) -> None:
    make_clip(tmp_path, [blocks(1), blocks(2)])
    told, warned = run(tmp_path, form, "--images", str(tmp_path / "images"), "--grow", "1")
    video = tmp_path / "out" / VIDEOS[form]
    assert told == f"{video}\n"
    assert warned == ""
    assert video.is_file()


def test_the_source_is_the_one_that_the_run_names(tmp_path: Path) -> None:
    write_labels(tmp_path / "pred" / "masks" / "walk", numbered([blocks(1)]))
    make_clip(tmp_path / "source", [blocks(1)])
    source = tmp_path / "source" / "images" / "walk"
    scene = {"name": "walk", "source": str(source), "objects": [{"id": 1, "score": 0.5}]}
    (tmp_path / "pred" / "run.json").write_text(json.dumps({"scenes": [scene]}))
    run(tmp_path, "alpha")
    assert (tmp_path / "out" / "walk_alpha.mp4").is_file()
    _, warned = run(tmp_path, "youtube-vis")
    assert warned == ""
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [result["score"] for result in results] == [0.5]


def test_youtube_vis_takes_the_videos_of_a_data_set(tmp_path: Path) -> None:
    write_labels(tmp_path / "pred" / "walk", numbered([blocks(1)]))
    entry = {"id": 9, "file_names": ["walk/00000.jpg"], "height": 12, "width": 20}
    (tmp_path / "valid.json").write_text(json.dumps({"videos": [entry]}))
    run(tmp_path, "youtube-vis", "--videos", str(tmp_path / "valid.json"), "--category-id", "3")
    (result,) = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (result["video_id"], result["category_id"]) == (9, 3)


def test_coco_takes_a_category_and_a_shape(tmp_path: Path) -> None:
    write_labels(tmp_path / "pred" / "walk", numbered([blocks(1)]))
    run(tmp_path, "coco", "--category", "car", "--shrink", "1")
    content = json.loads((tmp_path / "out" / "instances.json").read_text())
    assert content["categories"][0]["name"] == "car"
    assert content["annotations"][0]["area"] == 4


def test_growing_and_shrinking_at_once_is_refused(tmp_path: Path) -> None:
    write_labels(tmp_path / "pred" / "walk", numbered([blocks(1)]))
    with pytest.raises(ConfigError, match="--grow 2 and --shrink 1 are opposites"):
        run(tmp_path, "coco", "--grow", "2", "--shrink", "1")


@pytest.mark.parametrize("form", ["coco", "youtube-vis"])
def test_forms_with_ids_have_no_invert(tmp_path: Path, form: str) -> None:
    write_labels(tmp_path / "pred" / "walk", numbered([blocks(1)]))
    folders = ["--pred", str(tmp_path / "pred"), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, [form, *folders, "--invert"]).exit_code == 2


def test_the_colour_of_a_green_screen_is_checked_before_anything_is_written(tmp_path: Path) -> None:
    make_clip(tmp_path, [blocks(1)])
    with pytest.raises(ConfigError, match="colour 'greenish'"):
        run(tmp_path, "green-screen", "--colour", "greenish")
    assert not (tmp_path / "out").exists()
