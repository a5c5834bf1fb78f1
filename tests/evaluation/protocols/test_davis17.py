"""DAVIS-2017 scores: objects, void, both evaluations of its moving part, wrong folders."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import InputError
from moseg.evaluation.frame_pairs import Labels
from moseg.evaluation.objects import ObjectTables
from moseg.evaluation.protocols.davis17 import (
    BothTasks,
    evaluate_davis17_moving,
    evaluate_davis17_unsupervised,
    read_pair,
)
from moseg.evaluation.results import Report
from tests.evaluation.folders import numbered, write_labels

SIZE = (24, 40)
EITHER = pytest.mark.parametrize(
    "evaluate", [evaluate_davis17_unsupervised, evaluate_davis17_moving]
)
Evaluate = Callable[..., Report]


def frame(**lefts: int) -> Labels:
    """Blocks of 8x8: `_3=10` is object 3 at column 10; later ones lie on top."""
    labels = np.zeros(SIZE, np.uint8)
    for name, left in lefts.items():
        labels[8:16, left : left + 8] = int(name[1:])
    return labels


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions and truth of `dog` (2 objects) and `cat` (1), right but for their ids."""
    pred, gt = tmp_path / "pred", tmp_path / "gt"
    write_labels(gt / "dog", numbered(frame(_1=2 + i, _2=20 + i) for i in range(4)))
    write_labels(pred / "dog", numbered(frame(_5=2 + i, _1=20 + i) for i in range(4)))
    write_labels(gt / "cat", numbered(frame(_1=6) for _ in range(3)))
    write_labels(pred / "cat", numbered(frame(_2=6) for _ in range(3)))
    return pred, gt


@EITHER
def test_ids_of_predictions_do_not_matter(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    report = evaluate(*folders)
    assert report.figures["J&F-Mean"] == report.figures["J-Recall"] == 1
    cat, dog = report.sequences
    assert [(one.label, one.matched) for one in dog.objects] == [(1, 5), (2, 1)]
    assert [(one.label, one.matched) for one in cat.objects] == [(1, 2)]
    assert report.notes == ()


@EITHER
def test_report_says_what_it_is_of_the_benchmark(
    folders: tuple[Path, Path], evaluate: Evaluate
) -> None:
    report = evaluate(*folders)
    benchmark = {"davis17-unsupervised": "davis17-val", "davis17-moving": "davis17-moving"}
    assert f"not those of {benchmark[report.protocol]}:" in report.rules["sequences"]


@EITHER
def test_whole_set_is_the_mean_over_objects(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    pred, gt = folders
    write_labels(pred / "cat", numbered(frame() for _ in range(3)))
    report = evaluate(pred, gt)
    assert [score.figures["J-Mean"] for score in report.sequences] == [0, 1]
    assert report.figures["J-Mean"] == pytest.approx(2 / 3)
    assert report.sequences[0].objects[0].matched is None


@EITHER
def test_first_frame_says_how_many_objects(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    pred, gt = folders
    write_labels(gt / "cat", {"00001": frame(_1=6, _2=24), "00002": frame(_1=6, _2=24)})
    report = evaluate(pred, gt, ["cat"])
    assert [one.label for one in report.sequences[0].objects] == [1]
    assert report.figures["J-Mean"] == 1


@EITHER
def test_void_counts_for_nothing(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    pred, gt = folders
    write_labels(gt / "cat", numbered(frame(_1=6, _255=24) for _ in range(3)))
    plain = evaluate(pred, gt, ["cat"])
    write_labels(pred / "cat", numbered(frame(_2=6, _3=24) for _ in range(3)))
    on_void = evaluate(pred, gt, ["cat"])
    assert plain.figures == on_void.figures
    assert set(on_void.figures.values()) == {0, 1}  # decays and the others
    assert "255" in plain.rules["void"]


@EITHER
def test_masks_of_the_report_are_those_that_were_scored(
    folders: tuple[Path, Path], evaluate: Evaluate
) -> None:
    pred, gt = folders
    write_labels(gt / "cat", numbered(frame(_1=6, _255=24) for _ in range(3)))
    report = evaluate(pred, gt)
    read = pickle.loads(pickle.dumps(report.read))
    for score in report.sequences:
        masks = read(score.pairs[-1])
        np.testing.assert_array_equal(masks.truth, masks.pred)
        assert masks.void.any() == (score.name == "cat")


@EITHER
def test_roots_of_data_set_and_output(
    folders: tuple[Path, Path], tmp_path: Path, evaluate: Evaluate
) -> None:
    pred, gt = folders
    plain = evaluate(pred, gt)
    davis, out = tmp_path / "DAVIS", tmp_path / "out"
    (davis / "Annotations_unsupervised").mkdir(parents=True)
    shutil.move(gt, davis / "Annotations_unsupervised" / "480p")
    write_labels(davis / "Annotations/480p/dog", {"00000": frame(_1=3)})
    shutil.move(pred, out / "masks")
    for root in (davis, davis / "Annotations_unsupervised"):
        assert evaluate(out, root).figures == plain.figures


@EITHER
def test_root_without_annotations_of_the_task(
    folders: tuple[Path, Path], tmp_path: Path, evaluate: Evaluate
) -> None:
    pred, gt = folders
    (tmp_path / "DAVIS/Annotations").mkdir(parents=True)
    shutil.move(gt, tmp_path / "DAVIS/Annotations/480p")
    with pytest.raises(InputError, match="no Annotations_unsupervised/480p; fetch"):
        evaluate(pred, tmp_path / "DAVIS")
    assert evaluate(pred, tmp_path / "DAVIS/Annotations/480p").figures["J-Mean"] == 1


@EITHER
def test_missing_frame_counts_as_empty_and_is_told(
    folders: tuple[Path, Path], evaluate: Evaluate
) -> None:
    pred, gt = folders
    (pred / "dog/00003.png").unlink()
    report = evaluate(pred, gt)
    assert [score.missing for score in report.sequences] == [(), ("00003",)]
    assert report.sequences[1].figures["J-Mean"] == pytest.approx(3 / 4)
    assert report.notes == (
        "dog: 1 of 4 frames have no prediction and count as empty masks: 00003",
    )


@EITHER
def test_twenty_proposals_are_the_most(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    pred, gt = folders
    write_labels(pred / "cat", numbered(frame(_20=6) for _ in range(3)))
    assert evaluate(pred, gt, ["cat"]).sequences[0].objects[0].matched == 20
    write_labels(pred / "cat", {"00001": frame(_21=6)})
    with pytest.raises(InputError, match=r"cat/00001\.png: holds the object id 21, .* at most 20"):
        evaluate(pred, gt, ["cat"])


@EITHER
def test_255_in_a_prediction_is_refused(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    pred, gt = folders
    write_labels(pred / "cat", {"00001": frame(_255=6)})
    with pytest.raises(InputError, match=r"cat/00001\.png: holds the id 255, .* foreground is 1"):
        evaluate(pred, gt)


@EITHER
def test_colours_and_large_ids_are_refused(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    pred, gt = folders
    file = pred / "cat/00001.png"
    Image.open(file).convert("RGB").save(file)
    with pytest.raises(InputError, match=r"cat/00001\.png: holds colours \(RGB\)"):
        evaluate(pred, gt)
    Image.fromarray(frame(_1=6).astype(np.uint16) * 1001).save(file)
    with pytest.raises(InputError, match=r"cat/00001\.png: holds the id 1001"):
        evaluate(pred, gt)


@EITHER
def test_wrong_truth_is_refused(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    pred, gt = folders
    write_labels(gt / "cat", numbered(frame(_255=6) for _ in range(3)))  # as DAVIS-2016
    with pytest.raises(InputError, match=r"first frame of cat has no object id.*eval davis16"):
        evaluate(pred, gt)
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(gt / "cat/00000.png")
    with pytest.raises(InputError, match=r"gt/cat/00000\.png: holds colours"):
        evaluate(pred, gt)


@EITHER
def test_files_that_do_not_fit_are_named(folders: tuple[Path, Path], evaluate: Evaluate) -> None:
    pred, gt = folders
    file = pred / "dog/00002.png"
    Image.new("L", (20, 12)).save(file)
    with pytest.raises(InputError, match=r"dog/00002\.png: the mask is 20x12 .* truth is 40x24"):
        evaluate(pred, gt)
    file.write_bytes(b"no image")
    with pytest.raises(InputError, match=r"dog/00002\.png: cannot be read"):
        evaluate(pred, gt)
    file.rename(pred / "dog/00007.png")
    with pytest.raises(InputError, match=r"numbered otherwise .*has 00002 but not 00007"):
        evaluate(pred, gt)
    for mask in (pred / "dog").iterdir():
        mask.unlink()
    with pytest.raises(InputError, match="dog: holds no PNG mask"):
        evaluate(pred, gt)


def test_missing_sequence_is_refused(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    shutil.rmtree(pred / "cat")
    with pytest.raises(InputError, match=r"no predictions for cat \(1 of 2"):
        evaluate_davis17_unsupervised(pred, gt)


def test_missing_sequence_counts_as_empty_in_the_moving_part(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    shutil.rmtree(pred / "cat")
    report = evaluate_davis17_moving(pred, gt)
    assert report.figures["J-Mean"] == pytest.approx(2 / 3)
    assert report.figures["all J-Mean"] == pytest.approx(1 / 2)
    assert report.notes[0].startswith("cat: 3 of 3 frames have no prediction")
    shutil.rmtree(pred / "dog")
    with pytest.raises(InputError, match=r"no predictions for cat, dog \(2 of 2"):
        evaluate_davis17_moving(pred, gt)


def test_all_objects_as_one_foreground(folders: tuple[Path, Path]) -> None:
    """A prediction that cuts the objects otherwise is right as a whole; so are later objects."""
    pred, gt = folders
    write_labels(gt / "dog", numbered(frame(_1=2, _2=10, _3=18 if i else 10) for i in range(4)))
    write_labels(pred / "dog", numbered(frame(_1=2, _4=10, _7=18 if i else 10) for i in range(4)))
    write_labels(gt / "cat", numbered(frame(_1=6) for _ in range(3)))
    write_labels(pred / "cat", numbered(frame(_1=6, _2=10) for _ in range(3)))
    report = evaluate_davis17_moving(pred, gt)
    names = [measure.name for measure in report.measures]
    assert names[:2] == ["J&F-Mean", "J-Mean"]
    assert names[-3:] == ["all J&F-Mean", "all J-Mean", "all F-Mean"]
    cat, dog = report.sequences
    assert dog.figures["all J&F-Mean"] == 1
    assert cat.figures["J-Mean"] == pytest.approx(0.5)  # half of it has another id
    assert cat.figures["all J-Mean"] == pytest.approx(8 / 12)
    assert report.figures["all J-Mean"] == pytest.approx((1 + 8 / 12) / 2)
    np.testing.assert_allclose(cat.series["all J"], 8 / 12)
    for score in (cat, dog):
        assert score.series["all F"].mean() == pytest.approx(score.figures["all F-Mean"])
    assert cat.figures["all F-Mean"] != cat.figures["all J-Mean"]


def test_void_as_foreground_reproduces_the_published_rule(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_labels(gt / "cat", numbered(frame(_1=6, _255=24) for _ in range(3)))
    figures = []
    for void_as_foreground in (False, True):
        report = evaluate_davis17_moving(
            pred, gt, ["cat"], void_as_foreground=void_as_foreground, workers=1
        )
        assert report.figures["J-Mean"] == 1
        figures.append(report.figures["all J-Mean"])
    assert figures == [1, 0.5]
    assert "foreground" in report.rules["all"].partition(";")[2]


def test_what_scores_a_frame_can_be_sent_to_a_process(folders: tuple[Path, Path]) -> None:
    report = evaluate_davis17_unsupervised(*folders)
    pair = report.sequences[1].pairs[0]
    table, *of_all = pickle.loads(pickle.dumps(BothTasks(read_pair)))(pair)
    assert of_all == [1, 1]
    assert table.proposals == (0, 1, 5)
    same = pickle.loads(pickle.dumps(ObjectTables(read_pair)))(pair)
    np.testing.assert_array_equal(same.region, table.region)
