"""Which sequences are scored: lists of benchmarks, what a person names, what the truth has."""

from __future__ import annotations

from pathlib import Path

import pytest

from moseg.core.errors import InputError
from moseg.evaluation.sequence_lists import (
    Found,
    benchmark_list,
    choose_sequences,
    list_names,
    parse_sequences,
)

COUNTS = {
    "davis16-moving": 16,
    "davis16-val": 20,
    "davis17-moving": 22,
    "davis17-val": 30,
    "fbms-test": 30,
    "fbms-train": 29,
    "segtrackv2": 14,
    "ytvos18-m": 120,
}
ROOT = Path("gt")


def test_lists_have_as_many_names_as_the_benchmarks_and_none_twice() -> None:
    assert {name: len(benchmark_list(name)) for name in list_names()} == COUNTS
    for name in list_names():
        names = benchmark_list(name)
        assert len(set(names)) == len(names)
        assert all(name == name.strip() and "/" not in name for name in names)


def test_lists_that_are_parts_of_others() -> None:
    davis16, davis17 = set(benchmark_list("davis16-val")), set(benchmark_list("davis17-val"))
    moving = set(benchmark_list("davis17-moving"))
    assert davis16 < davis17
    assert moving < davis17
    assert set(benchmark_list("davis16-moving")) == davis16 & moving
    assert not set(benchmark_list("fbms-test")) & set(benchmark_list("fbms-train"))


def test_sequences_from_a_comma_list_a_file_and_a_benchmark(tmp_path: Path) -> None:
    file = tmp_path / "val.txt"
    file.write_text("dog\n\n# hard ones\n cat # two of them\n", encoding="utf-8")
    assert parse_sequences("dog, cat,") == ["dog", "cat"]
    assert parse_sequences(str(file)) == ["dog", "cat"]
    assert parse_sequences("davis16-val") == list(benchmark_list("davis16-val"))


def test_lists_of_editors_and_spreadsheets_are_read(tmp_path: Path) -> None:
    file = tmp_path / "val.txt"
    file.write_bytes("\ufeffdog\r\ncat, cow,  # two\r\n".encode())
    assert parse_sequences(str(file)) == ["dog", "cat", "cow"]
    file.write_text("dog\ncat\n", encoding="utf-16")
    with pytest.raises(InputError, match=r"val\.txt: cannot be read .* in UTF-8"):
        parse_sequences(str(file))


@pytest.mark.parametrize("text", ["lists/mine", "mine.txt", "../lists/"])
def test_a_path_that_leads_nowhere_is_no_name(text: str) -> None:
    with pytest.raises(InputError, match=f"sequences '{text}': no such file"):
        parse_sequences(text)


def test_more_names_than_a_file_can_have_letters() -> None:
    names = [f"sequence{number}" for number in range(1000)]
    assert parse_sequences(",".join(names)) == names


def test_a_file_comes_before_a_list_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "davis16-val").write_text("mine\n")
    monkeypatch.chdir(tmp_path)
    assert parse_sequences("davis16-val") == ["mine"]


def test_sequences_that_name_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# none\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for text in (" , ", str(tmp_path / "empty.txt")):
        with pytest.raises(InputError, match="no name in it"):
            parse_sequences(text)
    with pytest.raises(InputError, match="binary: cannot be read as a list"):
        parse_sequences(str(tmp_path / "binary"))


def test_without_a_choice_the_benchmarks_list_is_scored_in_its_order() -> None:
    official = benchmark_list("davis16-val")
    choice = choose_sequences(None, "davis16-val", [*reversed(official), "extra"], ROOT)
    assert choice.names == official
    assert choice.sentence == "all 20 of davis16-val"


def test_a_truth_that_lacks_some_is_scored_whole_and_told() -> None:
    choice = choose_sequences(None, "davis16-val", ["libby", "dog"], ROOT)
    assert choice.names == ("libby", "dog")
    assert choice.sentence.startswith("2 of the 20 of davis16-val: not the benchmark's figure")


def test_other_sequences_than_the_benchmarks_are_told() -> None:
    choice = choose_sequences(None, "davis16-val", ["dog", "mine"], ROOT)
    assert choice.sentence.startswith("2, not those of davis16-val: do not quote")


def test_a_choice_is_scored_in_its_order_and_each_once() -> None:
    known = benchmark_list("davis16-val")
    assert choose_sequences(["dog", "camel", "dog"], "davis16-val", known, ROOT).names == (
        "dog",
        "camel",
    )
    whole = choose_sequences(list(reversed(known)), "davis16-val", known, ROOT)
    assert whole.sentence == "all 20 of davis16-val"


def test_sequences_that_the_truth_lacks_are_refused() -> None:
    with pytest.raises(InputError, match="gt: the ground truth has no sequence cow; it has dog"):
        choose_sequences(["dog", "cow"], "davis16-val", ["dog"], ROOT)
    with pytest.raises(InputError, match="list is empty"):
        choose_sequences([], "davis16-val", ["dog"], ROOT)


def test_missing_predictions_say_how_to_choose(tmp_path: Path) -> None:
    (tmp_path / "dog").mkdir()
    (tmp_path / "cat").touch()
    Found(("dog",), "", tmp_path, ROOT).require_predictions()
    with pytest.raises(InputError, match=r"no predictions for cat, cow \(2 of 3 .*--sequences"):
        Found(("dog", "cat", "cow"), "", tmp_path, ROOT).require_predictions()
