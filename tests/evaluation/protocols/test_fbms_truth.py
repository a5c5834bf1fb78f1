"""Truths of FBMS-59: layouts and kinds of files, background, regions, confidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import InputError
from moseg.evaluation.protocols.fbms import evaluate_fbms
from tests.evaluation.fbms_folders import (
    ANNOTATED,
    BLACK_GROUND,
    LENGTH,
    PERFECT,
    SIZE,
    WHITE_GROUND,
    painted,
    scene,
    write_definition,
    write_folders,
    write_images,
    write_pred,
    write_truth,
)
from tests.evaluation.folders import close_folder, write_labels


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """See `write_folders`."""
    return write_folders(tmp_path)


@pytest.mark.parametrize(
    ("inside", "given"),
    [
        ("cars1", "."),
        ("cars1/GroundTruth", "."),
        ("Testset/cars1/GroundTruth", "."),
        ("Testset/cars1/GroundTruth", "Testset"),
        ("TestSet/cars1/GroundTruth", "."),
        ("TestSet/Data/cars1/GroundTruth", "."),
        ("TestSet/Data/cars1/GroundTruth", "TestSet"),
        ("test/mask/cars1", "."),
        ("test/mask/cars1", "test"),
    ],
)
def test_layouts(tmp_path: Path, inside: str, given: str) -> None:
    write_pred(tmp_path / "pred")
    write_truth(tmp_path / "root" / inside)
    report = evaluate_fbms(tmp_path / "pred", tmp_path / "root" / given)
    assert report.figures.items() >= PERFECT.items()
    assert [measure.name for measure in report.measures] == list(report.figures)
    assert not report.notes


@pytest.mark.parametrize("suffix", [".png", ".ppm", ".pgm"])
@pytest.mark.parametrize("colours", [BLACK_GROUND, WHITE_GROUND])
@pytest.mark.parametrize("defined", [False, True])
def test_kinds_of_truth(
    tmp_path: Path,
    suffix: str,
    colours: dict[int, tuple[int, int, int]],
    defined: bool,
) -> None:
    write_pred(tmp_path / "pred")
    folder = tmp_path / "gt" / "cars1" / "GroundTruth"
    write_truth(folder, colours, suffix)
    if suffix == ".ppm":
        for frame in ANNOTATED:
            Image.new("L", SIZE[::-1], 255).save(folder / f"cars1_{frame:02d}.pgm")
    if defined:
        grey = [Image.new("RGB", (1, 1), colour).convert("L") for colour in colours.values()]
        values = [int(np.asarray(pixel)[0, 0]) for pixel in grey]
        if suffix != ".pgm":
            values = [r << 16 | g << 8 | b for r, g, b in colours.values()]
        write_definition(folder, values, suffix)
    report = evaluate_fbms(tmp_path / "pred", tmp_path / "gt")
    assert report.figures.items() >= PERFECT.items()
    white = ["white is the background of the truth: cars1"] if colours is WHITE_GROUND else []
    assert list(report.notes) == white


def test_images_that_do_not_belong_to_the_annotation_are_not_looked_at(tmp_path: Path) -> None:
    write_pred(tmp_path / "pred")
    write_truth(tmp_path / "gt" / "cars1" / "GroundTruth")
    write_images(tmp_path / "gt" / "cars1", "cars1_9{:02d}")
    assert evaluate_fbms(tmp_path / "pred", tmp_path / "gt").figures["J-Mean"] == 1


def test_background_is_that_of_the_sequence_not_of_a_frame(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    full = np.full(SIZE, 1, np.uint8)  # white in all of one frame, where the reference flips
    painted(full, {1: (255, 255, 255)}).save(gt / "cars1" / "cars1_10.png")
    write_labels(pred / "cars1", {"cars1_10": full})
    report = evaluate_fbms(pred, gt)
    assert report.figures["J-Mean"] == 1
    told = "the truth has black and white, and black is taken as its background: cars1"
    assert report.notes == (told,)


def test_near_white_is_white(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_truth(gt / "cars1", WHITE_GROUND | {1: (255, 100, 0)})
    file = gt / "cars1" / "cars1_10.png"
    picture = np.array(Image.open(file))
    picture[-2:, :8] = (251, 253, 254)
    Image.fromarray(picture).save(file)
    report = evaluate_fbms(pred, gt)
    assert report.figures.items() >= PERFECT.items()


def test_a_truth_without_background_or_without_objects_is_refused(
    folders: tuple[Path, Path],
) -> None:
    pred, gt = folders
    write_truth(gt / "cars1", WHITE_GROUND | {0: (10, 10, 10)})
    with pytest.raises(InputError, match=r"gt/cars1: no annotated frame has black or white"):
        evaluate_fbms(pred, gt)
    for ground in ((0, 0, 0), (255, 255, 255)):
        write_truth(gt / "cars1", dict.fromkeys(range(3), ground))
        with pytest.raises(InputError, match=r"gt/cars1: .* nothing but background"):
            evaluate_fbms(pred, gt)


def test_a_smoothed_truth_is_refused(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    ramp = np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) % 256
    Image.fromarray(ramp.astype(np.uint8)).save(gt / "cars1" / "cars1_10.png")
    with pytest.raises(InputError, match=r"cars1_10\.png: holds 256 colours, too many"):
        evaluate_fbms(pred, gt)


def test_a_colour_that_the_definition_does_not_list_is_refused(
    folders: tuple[Path, Path],
) -> None:
    pred, gt = folders
    write_definition(gt / "cars1", [0, 0xFF0000], ".png")
    with pytest.raises(InputError, match=r"cars1_01\.png: the colour \(0, 200, 10\) is none of"):
        evaluate_fbms(pred, gt)


def test_regions_of_the_definition_that_are_never_seen_do_not_count(
    folders: tuple[Path, Path],
) -> None:
    pred, gt = folders
    write_definition(gt / "cars1", [0xFFFF00, 0, 0xFF0000, 0x00C80A, 5], ".png")
    assert evaluate_fbms(pred, gt).figures.items() >= PERFECT.items()


def test_only_the_frames_of_the_definition_are_annotated(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_definition(gt / "cars1", [0, 0xFF0000, 0x00C80A], ".png")
    painted(scene(3), BLACK_GROUND).save(gt / "cars1" / "cars1_05.png")
    report = evaluate_fbms(pred, gt)
    assert [pair.name for pair in report.sequences[0].pairs] == [
        "cars1_01",
        "cars1_10",
        "cars1_19",
    ]
    (gt / "cars1" / "cars1_10.png").unlink()
    with pytest.raises(InputError, match=r"names the annotation cars1_10\.png, which is not"):
        evaluate_fbms(pred, gt)


def test_a_png_stands_for_the_ppm_that_the_definition_names(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_definition(gt / "cars1", [0, 0xFF0000, 0x00C80A], ".ppm")
    assert evaluate_fbms(pred, gt).figures.items() >= PERFECT.items()


def test_confidence_weighs_pixels_and_its_lack_is_told(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for file in list((gt / "cars1").iterdir()):
        file.unlink()
    write_truth(gt / "cars1", suffix=".ppm")
    for frame in range(1, LENGTH + 1):  # all of the second object as background
        labels = scene(frame)
        labels[labels == 2] = 0
        write_labels(pred / "cars1", {f"cars1_{frame:02d}": labels})
    plain = evaluate_fbms(pred, gt)
    assert plain.notes == (
        "no confidence (.pgm) beside some .ppm, whose pixels count fully: cars1",
    )
    for frame in ANNOTATED:
        weights = np.where(scene(frame) == 2, 51, 255).astype(np.uint8)
        Image.fromarray(weights).save(gt / "cars1" / f"cars1_{frame:02d}.pgm")
    weighed = evaluate_fbms(pred, gt)
    ground = SIZE[0] * SIZE[1] - 128
    assert plain.figures["Precision"] == pytest.approx((ground / (ground + 64) + 1 + 1) / 3)
    assert weighed.figures["Precision"] == pytest.approx((ground / (ground + 12.8) + 1 + 1) / 3)
    assert weighed.figures["J-Mean"] == plain.figures["J-Mean"]
    assert not weighed.notes
    for frame in ANNOTATED:
        Image.new("L", SIZE[::-1]).save(gt / "cars1" / f"cars1_{frame:02d}.pgm")
    with pytest.raises(InputError, match=r"cars1: the confidence is 0 everywhere"):
        evaluate_fbms(pred, gt)
    Image.new("L", (8, 8), 255).save(gt / "cars1" / "cars1_10.pgm")
    with pytest.raises(InputError, match=r"cars1_10\.pgm: the confidence has another size"):
        evaluate_fbms(pred, gt)


def test_wrong_truths_are_told_in_one_line(folders: tuple[Path, Path], tmp_path: Path) -> None:
    pred, gt = folders
    with pytest.raises(InputError, match="no sequence cats01; it has cars1"):
        evaluate_fbms(pred, gt, ["cats01"])
    (gt / "cars1" / "cars1_10.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"gt/cars1/cars1_10\.png: cannot be read"):
        evaluate_fbms(pred, gt)
    Image.fromarray(scene(10).astype(np.uint16)).save(gt / "cars1" / "cars1_10.png")
    with pytest.raises(InputError, match=r"cars1_10\.png: has more than 8 bits"):
        evaluate_fbms(pred, gt)
    write_images(tmp_path / "images" / "cars1")
    with pytest.raises(InputError, match="holds no PNG or PPM or PGM mask"):
        evaluate_fbms(pred, tmp_path / "images")


@pytest.mark.parametrize("closed", ["cars1", "cars1/GroundTruth"])
def test_a_folder_without_permission_is_told(
    tmp_path: Path, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pred(tmp_path / "pred")
    write_truth(tmp_path / "gt" / "cars1" / "GroundTruth")
    close_folder(tmp_path / "gt" / closed, monkeypatch)
    with pytest.raises(InputError, match=rf"gt/{closed}: cannot be listed \(Permission denied\)"):
        evaluate_fbms(tmp_path / "pred", tmp_path / "gt")
