"""Video salient object detection: frames, means, kinds of maps, and what is told of them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation.frame_pairs import Labels
from moseg.evaluation.frame_rules import FrameRuleName
from moseg.evaluation.protocols.vsod import (
    MEASURES,
    MapReader,
    MapScorer,
    VariantName,
    evaluate_vsod,
)
from moseg.evaluation.results import Report
from moseg.evaluation.saliency import MTNET, PYSODMETRICS, score_map
from tests.evaluation.folders import numbered, write_labels

SIZE = (24, 32)


def write_grey(folder: Path, maps: dict[str, Labels], suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, codes in maps.items():
        Image.fromarray(codes).save(folder / f"{stem}{suffix}")


def square(left: int) -> Labels:
    mask = np.zeros(SIZE, np.uint8)
    mask[6:16, left : left + 10] = 255
    return mask


def soft(left: int, sure: int = 230) -> Labels:
    """A map that is fairly right about the square: `sure` on it, less around it."""
    codes = np.zeros(SIZE, np.uint8)
    codes[4:18, left : left + 12] = 90
    codes[6:15, left : left + 10] = sure
    return codes


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Truth and maps of `dog` (6 frames) and `cat` (5); the first and last maps are wrong."""
    pred, gt = tmp_path / "pred", tmp_path / "gt"
    wrong = np.full(SIZE, 200, np.uint8)
    for name, length, sure in (("dog", 6, 230), ("cat", 5, 120)):
        write_grey(gt / name, numbered(square(2 + index) for index in range(length)))
        inner = [soft(2 + index, sure) for index in range(1, length - 1)]
        write_grey(pred / name, numbered([wrong, *inner, wrong]))
    return pred, gt


def score(folders: tuple[Path, Path], **options: object) -> Report:
    return evaluate_vsod(*folders, workers=1, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("frames", "first", "last"), [("davis16", 1, 4), ("all-frames", 0, 5), ("mtnet", 1, 5)]
)
def test_frames_that_count(
    folders: tuple[Path, Path], frames: FrameRuleName, first: int, last: int
) -> None:
    report = score(folders, sequences=["dog"], frames=frames)
    names = [pair.name for pair in report.sequences[0].pairs]
    assert names == [f"{index:05d}" for index in range(first, last + 1)]
    assert all(len(values) == len(names) for values in report.sequences[0].series.values())
    errors = [
        np.abs(np.asarray(Image.open(folders[0] / f"dog/{name}.png")) / 255 - square(2 + at) / 255)
        for at, name in zip(range(first, last + 1), names, strict=True)
    ]
    assert report.figures["MAE"] == pytest.approx(np.mean(errors))


def test_first_and_last_are_left_out_by_default(folders: tuple[Path, Path]) -> None:
    report = score(folders)
    assert [len(part.pairs) for part in report.sequences] == [3, 4]
    assert "first and last left out" in report.rules["frames"]


def test_means_are_over_frames_then_videos_then_the_best_threshold(
    folders: tuple[Path, Path],
) -> None:
    report = score(folders)
    curves: dict[str, list[NDArray[np.float64]]] = {"F": [], "E": []}
    for name, length, sure in (("cat", 5, 120), ("dog", 6, 230)):
        scores = [
            score_map(soft(2 + at, sure), square(2 + at) > 0, MTNET) for at in range(1, length - 1)
        ]
        curves["F"].append(np.mean([one.f_curve for one in scores], axis=0))
        curves["E"].append(np.mean([one.e_curve for one in scores], axis=0))
        figures = next(part.figures for part in report.sequences if part.name == name)
        assert figures["S"] == pytest.approx(np.mean([one.structure for one in scores]))
        assert figures["wF"] == pytest.approx(np.mean([one.weighted_f for one in scores]))
        assert figures["adpF"] == pytest.approx(np.mean([one.adaptive_f for one in scores]))
        assert figures["adpE"] == pytest.approx(np.mean([one.adaptive_e for one in scores]))
        assert figures["maxF"] == pytest.approx(curves["F"][-1].max())
        assert list(figures) == [measure.name for measure in MEASURES]
    for letter in "FE":
        mean = np.mean(curves[letter], axis=0)
        np.testing.assert_allclose(report.curves[letter], mean)
        assert report.figures[f"max{letter}"] == pytest.approx(mean.max())
        assert report.figures[f"mean{letter}"] == pytest.approx(mean.mean())
    assert report.figures["wF"] == pytest.approx(
        np.mean([part.figures["wF"] for part in report.sequences])
    )
    assert report.figures.keys() == {measure.name for measure in MEASURES}


def test_the_best_threshold_is_one_for_all_videos(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for name, codes in (("dog", (200, 150)), ("cat", (100, 50))):  # best above 150, and above 50
        for at in range(1, 5):
            frame = np.full(SIZE, codes[1], np.uint8)
            frame[square(2 + at) > 0] = codes[0]
            write_grey(pred / name, {f"{at:05d}": frame})
    report = score((pred, gt))
    assert [part.figures["maxF"] for part in report.sequences] == pytest.approx([1, 1])
    assert report.figures["maxF"] < 0.8


def test_missing_frames_count_as_black_maps_where_they_count(folders: tuple[Path, Path]) -> None:
    for at in (0, 2, 5):
        (folders[0] / f"dog/{at:05d}.png").unlink()
    report = score(folders, sequences=["dog"])
    assert report.sequences[0].missing == ("00002",)
    (note,) = report.notes
    assert note.startswith("dog: 3 of 6 frames have no prediction and count as empty")
    assert report.sequences[0].series["MAE"][1] == pytest.approx((square(4) / 255).mean())
    whole = score(folders, sequences=["dog"], frames="all-frames")
    assert whole.sequences[0].missing == ("00000", "00002", "00005")


def test_variants(folders: tuple[Path, Path]) -> None:
    raw, stretched = score(folders), score(folders, variant="pysodmetrics")
    assert raw.figures["MAE"] != pytest.approx(stretched.figures["MAE"], abs=1e-3)
    assert "MTNet" in raw.rules["variant"]
    assert "pysodmetrics" in stretched.rules["variant"]
    expected = [score_map(soft(2 + at), square(2 + at) > 0, PYSODMETRICS) for at in range(1, 5)]
    dog = next(part for part in stretched.sequences if part.name == "dog")
    assert dog.figures["S"] == pytest.approx(np.mean([one.structure for one in expected]))
    with pytest.raises(ConfigError, match=r"'best' is unknown.*pysodmetrics"):
        score(folders, variant="best")


@pytest.mark.parametrize(("variant", "first"), [("mtnet", 0), ("pysodmetrics", 255)])
def test_order_of_the_curves(folders: tuple[Path, Path], variant: VariantName, first: int) -> None:
    report = score(folders, variant=variant)
    thresholds = report.curves["threshold"]
    assert (thresholds[0], thresholds[-1]) == (first, 255 - first)
    at_zero = int(np.flatnonzero(thresholds == 0)[0])
    share = (square(0) > 0).mean()
    assert report.curves["F"][at_zero] == pytest.approx(1.3 * share / (0.3 * share + 1))


def test_truth_levels(folders: tuple[Path, Path]) -> None:
    expected = score(folders).figures
    for path in (folders[1] / "dog").iterdir():
        Image.fromarray(np.asarray(Image.open(path)) // 255).save(path)
    assert score(folders).figures == expected
    with pytest.raises(
        InputError, match=r"dog/00001\.png: no value is above 128.*is 1;.*0 and 255"
    ):
        score(folders, variant="pysodmetrics")


def test_a_grey_truth_is_cut_at_the_level_of_the_variant(folders: tuple[Path, Path]) -> None:
    for path in (folders[1] / "dog").iterdir():
        codes = np.array(Image.open(path))
        codes[0] = 128  # an edge smoothed by a resize, say
        Image.fromarray(codes).save(path)
    dog = ["dog"]
    read = score(folders, sequences=dog, variant="pysodmetrics").read
    pairs = score(folders, sequences=dog).sequences[0].pairs
    assert read is not None
    assert not read(pairs[0]).truth[0].any()
    assert MapReader(MTNET)(pairs[0]).truth[0].all()


def test_palette_truth_and_void(folders: tuple[Path, Path]) -> None:
    expected = score(folders, variant="pysodmetrics").figures
    for path in (folders[1] / "dog").iterdir():
        ids = np.asarray(Image.open(path)) // 255
        ids[:, ::2] *= 3
        write_labels(path.parent, {path.stem: ids})
    assert score(folders, variant="pysodmetrics").figures == expected
    ids[0, 0] = 255
    write_labels(path.parent, {"00003": ids})
    with pytest.raises(InputError, match="void in DAVIS-2017"):
        score(folders)


def test_object_ids_count_as_sure_and_masks_are_told(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    assert score(folders).notes == ()
    for name, length in (("dog", 6), ("cat", 5)):
        ids = [square(2 + at) // 255 * (1 + at % 2) for at in range(length)]
        write_labels(pred / "out/masks" / name, numbered(ids))
    report = score((pred / "out", gt))
    assert report.figures["MAE"] == 0
    assert "255" in report.rules["maps"]
    (note,) = report.notes
    assert "only 0 and 255" in note
    assert "grey maps" in note


def test_masks_of_0_and_1_and_black_maps_are_told(folders: tuple[Path, Path]) -> None:
    for part, told in ((square(5) // 255, "only 0 and 1"), (square(5) * 0, "all maps are black")):
        for path in folders[0].glob("*/*.png"):
            Image.fromarray(part).save(path)
        (note,) = score(folders).notes
        assert told in note
    for name in ("dog", "cat"):  # 0 and 127: somebody means a probability
        Image.fromarray(np.uint8(square(5) // 2)).save(folders[0] / name / "00003.png")
    assert score(folders).notes == ()


def test_odd_maps_are_told_of_their_own_videos(folders: tuple[Path, Path]) -> None:
    for path in (folders[0] / "dog").iterdir():
        Image.fromarray(square(5) // 255).save(path)
    (note,) = score(folders).notes
    assert "only 0 and 1" in note
    assert note.endswith(": dog")
    for path in (folders[0] / "cat").iterdir():
        Image.fromarray(square(5)).save(path)
    assert [note.rsplit(": ")[-1] for note in score(folders).notes] == ["dog", "cat"]


def test_maps_of_frames_that_the_truth_lacks_are_told(folders: tuple[Path, Path]) -> None:
    expected = score(folders).figures
    write_grey(folders[0] / "dog", {"00006": soft(8), "00007": soft(9)})
    report = score(folders)
    assert report.figures == expected
    (note,) = report.notes
    assert note.startswith("dog: 2 predicted frames have no truth and are left out: 00006, 00007")


def test_one_kind_of_files_at_a_time(folders: tuple[Path, Path]) -> None:
    dog = folders[0] / "dog"
    expected = score(folders).figures["MAE"]
    write_grey(dog, numbered([np.zeros(SIZE, np.uint8)] * 6), ".jpg")
    assert score(folders).figures["MAE"] == expected
    for path in dog.glob("*.png"):
        Image.open(path).save(path.with_suffix(".jpg"), quality=100)
        path.unlink()
    assert score(folders).figures["MAE"] == pytest.approx(expected, abs=0.01)


def test_grey_in_other_clothes(folders: tuple[Path, Path]) -> None:
    expected = score(folders).figures
    for at, mode in ((1, "RGB"), (2, "LA"), (3, "RGBA")):
        path = folders[0] / f"dog/{at:05d}.png"
        Image.open(path).convert(mode).save(path)
    assert score(folders).figures == expected


def test_what_is_no_grey_map_is_refused(folders: tuple[Path, Path]) -> None:
    path = folders[0] / "dog/00002.png"
    Image.new("RGB", SIZE[::-1], (200, 10, 10)).save(path)
    with pytest.raises(InputError, match=r"00002\.png: is no 8-bit grey map \(RGB\); write"):
        score(folders)
    Image.fromarray(np.full(SIZE, 4000, np.uint16)).save(path)
    with pytest.raises(InputError, match=r"00002\.png: is no 8-bit grey map"):
        score(folders)
    Image.new("L", (16, 12)).save(path)
    with pytest.raises(InputError, match=r"00002\.png: the mask is 16x12 .* truth is 32x24"):
        score(folders)


def test_other_names_and_missing_sequences_are_refused(folders: tuple[Path, Path]) -> None:
    pred, _ = folders
    (pred / "dog/00003.png").rename(pred / "dog/00013.png")
    with pytest.raises(InputError, match="numbered otherwise"):
        score(folders)
    (pred / "dog").rename(pred / "hidden")
    with pytest.raises(InputError, match="no predictions for dog"):
        score(folders)


def test_two_frames_leave_nothing_to_score(tmp_path: Path) -> None:
    write_grey(tmp_path / "gt/dog", numbered([square(2)] * 2))
    write_grey(tmp_path / "pred/dog", numbered([soft(2)] * 2))
    with pytest.raises(InputError, match="too few"):
        score((tmp_path / "pred", tmp_path / "gt"))


def test_worst_frames_are_those_of_the_highest_error(folders: tuple[Path, Path]) -> None:
    report = score(folders)
    assert report.ranking is not None
    assert report.ranking.measure in report.sequences[0].series
    assert not report.ranking.low_is_bad
    assert report.read is not None
    masks = report.read(report.sequences[1].pairs[0])
    np.testing.assert_array_equal(masks.pred, soft(3))
    np.testing.assert_array_equal(masks.truth, square(3) // 255)


def test_reader_and_scorer_can_be_sent(folders: tuple[Path, Path]) -> None:
    pair = score(folders).sequences[0].pairs[0]
    scorer = MapScorer(MapReader(PYSODMETRICS), PYSODMETRICS)
    sent, known = pickle.loads(pickle.dumps(scorer))(pair), scorer(pair)
    assert sent[0].structure == known[0].structure
    assert sent[1] == known[1]


def test_the_list_is_named(folders: tuple[Path, Path]) -> None:
    assert "davis16-val" in score(folders).rules["sequences"]
