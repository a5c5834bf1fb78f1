"""`moseg export` as a person calls it: options, what is printed, and how it ends."""

import json

import numpy as np
import pytest

from tests.cli.commands import FAST, left_overs, moseg
from tests.export.scenes import blocks, make_clip, pixels
from tests.media import write_images

FORMS = ("davis", "binary", "colmap", "nerfstudio", "instant-ngp", "mots", "fbms-tracks")


def options(form, root, *more):
    truth = ("--gt", root / "pred") if form == "fbms-tracks" else ()
    return ("export", form, "--pred", root / "pred", "--out", root / "out", *truth, *more)


@pytest.fixture
def walk(tmp_path):
    """Two scenes of two frames; the folder that holds `pred` and `images`."""
    make_clip(tmp_path, [blocks(3), blocks(0, 3)], "walk")
    make_clip(tmp_path, [blocks(1), blocks(0, 1)], "run")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_made_from_a_run_without_more_words(tmp_path_factory, real_run, form) -> None:
    out = tmp_path_factory.mktemp(form)
    truth = ("--gt", real_run / "masks") if form == "fbms-tracks" else ()
    outcome = moseg("export", form, "--pred", real_run, "--out", out, *truth)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(str(out / "good"))
    assert any(path.is_file() for path in out.rglob("*"))
    assert left_overs(out) == []


@pytest.fixture(scope="module")
def real_run(tmp_path_factory, good):
    out = tmp_path_factory.mktemp("real_run")
    assert moseg("run", good, "--out", out, *FAST).code == 0
    return out


def test_all_forms_are_listed() -> None:
    listed = moseg("export").out
    for form in (*FORMS, "coco", "youtube-vis", "green-screen", "alpha", "prores"):
        assert f" {form} " in listed


def test_every_form_says_its_rules() -> None:
    for form in FORMS:
        text = moseg("export", form, "--help").out
        assert "OUT/SCENE/" in text
        assert all(word in text for word in ("--pred", "--out", "--scenes", "--grow", "--shrink"))


@pytest.mark.parametrize("form", ["binary", "colmap", "nerfstudio", "instant-ngp"])
def test_forms_say_which_value_is_what_moves(form) -> None:
    text = " ".join(moseg("export", form, "--help").out.split())
    black = form in ("colmap", "nerfstudio")
    assert ("0 what moves" if black else "255 what moves") in text


def test_scenes_are_chosen(walk) -> None:
    outcome = moseg(*options("binary", walk, "--scenes", "run"))
    assert outcome.out == f"{walk / 'out' / 'run'}\n"
    assert [path.name for path in (walk / "out").iterdir()] == ["run"]
    (walk / "names.txt").write_text("walk\n")
    assert moseg(*options("binary", walk, "--scenes", walk / "names.txt")).code == 0
    assert (walk / "out" / "walk").is_dir()


def test_objects_grow_shrink_and_are_inverted(walk) -> None:
    areas = {}
    for words in ((), ("--grow", 2), ("--shrink", 1), ("--invert",)):
        assert moseg(*options("binary", walk, *words)).code == 0
        areas[words] = int((pixels(walk / "out" / "walk" / "00000.png") == 255).sum())
    assert areas[()] == 16
    assert areas["--grow", 2] > 16
    assert areas["--shrink", 1] == 4
    assert areas["--invert",] == 12 * 20 - 16


@pytest.mark.parametrize("form", [*FORMS, "coco", "youtube-vis", "green-screen", "alpha", "prores"])
def test_every_form_tells_what_shrank_to_nothing_and_what_grew_over_all(walk, form) -> None:
    images = () if form in ("davis", "binary", "mots", "fbms-tracks") else ("--images",)
    words = ("--scenes", "walk", *images, *(walk / "images" for _ in images))
    shrunk = moseg(*options(form, walk, *words, "--shrink", 9))
    assert shrunk.code == 0
    assert "note: walk: --shrink 9 leaves nothing of ids 3 in any frame" in shrunk.notes
    grown = moseg(*options(form, walk, *words, "--grow", 99)).notes
    assert "note: walk: with --grow 99 objects fill the whole picture in 2 of 2 frames" in grown


def test_renumbered_ids_are_told(walk) -> None:
    outcome = moseg(*options("davis", walk, "--scenes", "walk"))
    assert outcome.notes == ["note: walk: ids 3 are now 1 to 1"]
    assert outcome.code == 0


def test_the_class_of_mots_is_chosen(walk) -> None:
    assert moseg(*options("mots", walk, "--class", 2)).code == 0
    assert pixels(walk / "out" / "walk" / "00000.png").max() == 2003


def test_images_are_given_for_names_and_checked(walk) -> None:
    assert moseg(*options("colmap", walk, "--images", walk / "images")).code == 0
    assert (walk / "out" / "walk" / "00000.jpg.png").is_file()
    (walk / "images" / "walk" / "00001.jpg").unlink()
    outcome = moseg(*options("colmap", walk, "--images", walk / "images"))
    assert outcome.code == 2
    assert "has no frames 00001" in outcome.one_line


@pytest.fixture
def data(walk):
    """A data folder of nerfstudio for the scene `walk`."""
    folder = write_images(walk / "data" / "images", [np.zeros((12, 20, 3), np.uint8)] * 2, ".jpg")
    frames = [{"file_path": f"images/{path.name}"} for path in sorted(folder.iterdir())]
    (walk / "data" / "transforms.json").write_text(json.dumps({"frames": frames}))
    return walk / "data"


def test_transforms_get_masks_beside_them(walk, data) -> None:
    words = ("--pred", walk / "pred", "--out", data, "--transforms", data / "transforms.json")
    assert "choose one with --scenes" in moseg("export", "nerfstudio", *words).one_line
    outcome = moseg("export", "nerfstudio", *words, "--scenes", "walk")
    assert (outcome.code, outcome.err) == (0, "")
    copy = json.loads((data / "transforms_masked.json").read_text())
    assert [frame["mask_path"] for frame in copy["frames"]] == [
        "masks/00000.png",
        "masks/00001.png",
    ]


def test_transforms_with_images_are_refused(walk, data) -> None:
    words = ("--scenes", "walk", "--images", walk / "images", "--transforms")
    outcome = moseg(*options("nerfstudio", walk, *words, data / "transforms.json"))
    assert outcome.code == 2
    assert "leave out --images" in outcome.one_line
    assert not (walk / "out").exists()


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_mask_leaves_nothing_behind(walk, form) -> None:
    mask = walk / "pred" / "walk" / "00001.png"
    mask.write_bytes(mask.read_bytes()[:-40])
    outcome = moseg(*options(form, walk))
    assert outcome.code == 2
    assert "00001.png: cannot be read as a mask" in outcome.one_line
    assert not (walk / "out").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("binary", "--grow", 1, "--shrink", 1), "opposites"),
        (("binary", "--grow", -1), "--grow"),
        (("binary", "--scenes", "x"), "no scene x"),
        (("binary", "--pred", "nowhere"), "no such folder"),
        (("colmap",), "--images"),
        (("mots", "--class", 0), "class 0"),
        (("davis", "--invert"), "--invert"),
        (("fbms-tracks", "--frames", 20), "--frames 20"),
        (("fbms-tracks", "--gt", "nowhere"), "nowhere"),
        (("nerfstudio", "--scenes", "walk", "--transforms", "nowhere"), "nowhere"),
        (("splat",), "splat"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(walk, words, reason) -> None:
    outcome = moseg(*options(words[0], walk, *words[1:]))
    assert outcome.code == 2
    assert outcome.one_line.startswith("error: ")
    assert reason in outcome.one_line
    assert not (walk / "out").exists()


def test_masks_are_never_written_over(walk) -> None:
    before = pixels(walk / "pred" / "walk" / "00000.png")
    outcome = moseg("export", "binary", "--pred", walk / "pred", "--out", walk / "pred")
    assert outcome.code == 2
    assert "choose another output folder" in outcome.one_line
    assert sorted(path.name for path in (walk / "pred").iterdir()) == ["run", "walk"]
    assert np.array_equal(pixels(walk / "pred" / "walk" / "00000.png"), before)
