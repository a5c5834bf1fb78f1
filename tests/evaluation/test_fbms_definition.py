"""Def files of FBMS-59: what is read from them, and how damage is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from moseg.core.errors import InputError
from moseg.evaluation.fbms_definition import find_definition, read_definition


def definition_text(
    values: list[int], length: int, frames: list[tuple[int, str, str]], end: str = "\n"
) -> str:
    """A Def file: values of the regions, frames of the sequence, annotated frames."""
    lines = ["Annotation of a sequence", "", "Regions:", str(len(values))]
    for index, value in enumerate(values):
        lines += [f"Value of region {index}:", str(value)]
    lines += ["", "Penalties:", *(" ".join("1" for _ in values) for _ in values)]
    lines += ["", "Frames:", str(length), "Annotated frames:", str(len(frames))]
    for number, annotation, image in frames:
        lines += ["Number:", str(number), "Annotation:", annotation, "Image:", image]
    return end.join(lines) + end


TWO = [(0, "cars1_01.pgm", "cars1_01.jpg"), (9, "cars1_10.pgm", "cars1_10.jpg")]


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
def test_regions_and_annotated_frames_are_read(tmp_path: Path, end: str) -> None:
    file = tmp_path / "cars1Def.dat"
    file.write_bytes(definition_text([0, 100, 255], 19, TWO[::-1], end).encode())
    assert find_definition(tmp_path) == file
    found = read_definition(file)
    assert found.colours == (0x000000, 0x646464, 0xFFFFFF)
    assert found.length == 19
    assert [(frame.number, frame.annotation, frame.image) for frame in found.frames] == [
        (number, tmp_path / annotation, image) for number, annotation, image in TWO
    ]


def test_colours_of_ppm_annotations_are_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "catsDef.dat"
    file.write_text(definition_text([0, 16711680, 51210], 5, [(0, "a\\c_1.ppm", "c_1.ppm")]))
    found = read_definition(file)
    assert found.colours == (0, 0xFF0000, 0x00C80A)
    assert found.frames[0].annotation == tmp_path / "a" / "c_1.ppm"


def test_no_definition_and_two_of_them(tmp_path: Path) -> None:
    assert find_definition(tmp_path) is None
    for name in ("aDef.dat", "bDef.dat"):
        (tmp_path / name).write_text("")
    with pytest.raises(InputError, match=r"holds aDef\.dat and bDef\.dat; keep one"):
        find_definition(tmp_path)


def test_a_cut_file_says_where_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "cars1Def.dat"
    lines = definition_text([0, 255], 19, TWO).splitlines()
    for kept in range(len(lines)):
        file.write_text("\n".join(lines[:kept]))
        with pytest.raises(InputError, match=r"cars1Def\.dat: (ends before|line) .*again"):
            read_definition(file)


def test_a_line_that_is_no_number_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "cars1Def.dat"
    file.write_text(definition_text([0, 255], 19, TWO).replace("19", "many"))
    with pytest.raises(InputError, match=r"line \d+ is 'many', where a whole number is due"):
        read_definition(file)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (definition_text([0, 0], 19, TWO), "two regions have the same number"),
        (definition_text([0, 255], 19, [TWO[0], TWO[0]]), "two frames have the same number"),
        (definition_text([0, 255], 9, TWO), "frame 9 of a sequence of 9, counted from 0"),
        (definition_text([0, 256], 19, TWO), "no 8-bit colour"),
        (definition_text([], 19, TWO), "names no region"),
        (definition_text([0, 255], 19, []), "no annotated frame"),
    ],
)
def test_contradictions_are_told(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "cars1Def.dat"
    file.write_text(text)
    with pytest.raises(InputError, match=wrong):
        read_definition(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"noDef\.dat: cannot be read"):
        read_definition(tmp_path / "noDef.dat")
