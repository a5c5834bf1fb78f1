from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from moseg.core.errors import OutputError
from moseg.core.files import partial_path
from moseg.render import palette
from moseg.render.contact_sheet import MAX_CELL_HEIGHT, WIDTH, ContactSheet, sheet_columns


@given(T=st.integers(1, 5000), n=st.integers(1, 12))
def test_columns_are_evenly_spread_from_first_to_last(T: int, n: int) -> None:
    columns = sheet_columns(T, n)
    assert len(columns) == min(T, n)
    assert columns[0] == 0
    if len(columns) > 1:
        assert columns[-1] == T - 1
        steps = np.diff(columns)
        assert steps.min() >= 1
        assert steps.max() - steps.min() <= 1


def test_columns_of_some_lengths() -> None:
    assert sheet_columns(1) == [0]
    assert sheet_columns(2) == [0, 1]
    assert sheet_columns(101) == [0, 20, 40, 60, 80, 100]
    with pytest.raises(ValueError, match="at least one frame"):
        sheet_columns(0)


def scene(height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Dark frame, tracks of which those right of the middle move, and an object there."""
    frame = np.full((height, width, 3), 60, np.uint8)
    ids = np.zeros((height, width), np.uint8)
    ids[:, width // 2 :] = 1
    ys, xs = np.mgrid[0 : height : max(1, height // 8), 0 : width : max(1, width // 8)]
    xy = np.stack([xs.ravel(), ys.ravel()], axis=1).astype(np.float32)
    return frame, xy, (xy[:, 0] >= width / 2), ids


def sheet_of(
    T: int, height: int, width: int, name: str = "libby", sentence: str = "", objects: int = 1
) -> ContactSheet:
    sheet = ContactSheet(name, T, height, width, objects, sentence)
    for i in sheet_columns(T):
        frame, xy, moving, ids = scene(height, width)
        sheet.add_column(
            frame, xy, moving, ids if objects else ids * 0, f"{i:05d}   {i / 24:.2f} s"
        )
    return sheet


def share(image: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float((np.abs(image.astype(int) - colour).max(axis=2) <= 3).mean())


@pytest.mark.parametrize("T", [1, 2, 100])
@pytest.mark.parametrize("size", [(480, 854), (854, 480), (8, 8), (1, 2000), (2000, 1), (1, 1)])
def test_any_length_and_shape_gives_a_sheet(T: int, size: tuple[int, int]) -> None:
    image = sheet_of(T, *size).render()
    assert image.dtype == np.uint8
    assert 900 <= image.shape[1] <= WIDTH
    assert image.shape[0] <= 3 * (MAX_CELL_HEIGHT + 60) + 250
    if T == 100 and size == (480, 854):
        assert image.shape[1] >= WIDTH - 10


def test_the_sheet_shows_frames_tracks_and_masks() -> None:
    image = sheet_of(100, 480, 854).render()
    third = (image.shape[0] - 150) // 3
    rows = [image[150 + i * third : 150 + (i + 1) * third] for i in range(3)]
    assert share(rows[0], (60, 60, 60)) > 0.5
    assert share(rows[1], palette.MOVING_COLOUR) > 0.002
    assert share(rows[1], palette.STATIC_COLOUR) > 0.0005
    assert share(rows[2], palette.MOVING_COLOUR) == 0
    red = tuple(((palette.object_colours()[1].astype(int) + 60) // 2).tolist())
    assert share(rows[2], red) > 0.2
    assert share(rows[2], (60, 60, 60)) > 0.2
    assert share(rows[0], red) == 0


def test_tracks_lie_on_the_side_they_came_from() -> None:
    sheet = ContactSheet("x", 1, 100, 200, 1)
    xy = np.array([[np.nan, np.nan], [50.0, 50.0], [150.0, 50.0]])
    frame, ids = np.zeros((100, 200, 3), np.uint8), np.zeros((100, 200), np.uint8)
    sheet.add_column(frame, xy, np.array([1.0, 0.0, 1.0]), ids, "0")
    cell = sheet._columns[0].rows[1].astype(int)
    moving = np.argwhere(np.abs(cell - palette.MOVING_COLOUR).max(axis=2) < 60)
    still = np.argwhere(np.abs(cell - palette.STATIC_COLOUR).max(axis=2) < 60)
    size = np.array(cell.shape[:2])
    assert moving.mean(axis=0) / size == pytest.approx((0.5, 0.75), abs=0.01)
    assert still.mean(axis=0) / size == pytest.approx((0.5, 0.25), abs=0.01)


def test_tiny_frames_keep_sharp_pixels() -> None:
    sheet = ContactSheet("x", 1, 8, 8, 0)
    frame = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    sheet.add_column(frame, np.zeros((0, 2)), np.zeros(0), np.zeros((8, 8), np.uint8), "0")
    cell = sheet._columns[0].rows[0]
    assert cell.shape == (MAX_CELL_HEIGHT, MAX_CELL_HEIGHT, 3)
    assert len(np.unique(cell.reshape(-1, 3), axis=0)) == 64


@pytest.mark.parametrize("name", ["海でカイト", "Жук и λόγος", "a" * 400, "", "-dash 'quote' \n🙂"])
def test_any_scene_name_is_drawn_within_the_sheet(name: str) -> None:
    image, other = sheet_of(2, 48, 80, name).render(), sheet_of(2, 48, 80, "?").render()
    header = np.s_[:80]
    assert image.shape == other.shape
    assert np.array_equal(image[header], other[header]) == (name == "?")
    np.testing.assert_array_equal(image[80:], other[80:])
    assert (image[header, -20:] == 255).all()


def test_sentence_objects_and_titles_are_shown() -> None:
    plain, said = sheet_of(2, 48, 80), sheet_of(2, 48, 80, sentence="Nothing moves.")
    assert said.render().shape[0] == plain.render().shape[0] + 40
    red = palette.object_colours()[1]
    swatch = np.lib.stride_tricks.sliding_window_view((plain.render() == red).all(axis=2), (12, 12))
    assert swatch.all(axis=(2, 3)).any()  # the legend; contours are thinner
    none = sheet_of(2, 48, 80, objects=0).render()
    assert share(none, tuple(red.tolist())) == 0


def test_many_objects_do_not_run_off_the_sheet() -> None:
    ids = np.arange(256, dtype=np.uint8).reshape(16, 16)
    sheet = ContactSheet("x", 1, 16, 16, 255)
    sheet.add_column(np.zeros((16, 16, 3), np.uint8), np.zeros((0, 2)), np.zeros(0), ids, "0")
    assert (sheet.render()[:, -20:] == 255).all()


def test_equal_sheets_give_equal_files(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        sheet_of(100, 48, 80).save(tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), sheet_of(100, 48, 80).render())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_only_small_pictures_are_kept() -> None:
    sheet = sheet_of(6, 1080, 1920)
    kept = sum(row.nbytes for column in sheet._columns for row in column.rows)
    assert kept < 1080 * 1920 * 3
    assert all(row.base is None for column in sheet._columns for row in column.rows)


@pytest.mark.parametrize("columns", [1, 3, 12])
def test_another_number_of_columns_fills_the_sheet(columns: int) -> None:
    sheet = ContactSheet("x", 100, 48, 80, 1, columns=columns)
    frame, xy, moving, ids = scene(48, 80)
    for i in sheet_columns(100, columns):
        sheet.add_column(frame, xy, moving, ids, str(i))
    image = sheet.render()
    assert 900 <= image.shape[1] <= WIDTH
    used = np.flatnonzero((image != 255).any(axis=(0, 2)))
    assert columns == 1 or used[-1] > image.shape[1] - 40


def test_wrong_columns_are_refused() -> None:
    sheet = sheet_of(2, 48, 80)
    frame, xy, moving, ids = scene(48, 80)
    with pytest.raises(ValueError, match="does not fit"):
        sheet.add_column(frame, xy, moving, ids, "one too many")
    with pytest.raises(ValueError, match="does not fit"):
        ContactSheet("x", 2, 48, 81, 0).add_column(frame, xy, moving, ids, "0")


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    partial_path(tmp_path / "s.png").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"s\.png: the disk is full"):
        sheet_of(1, 8, 8).save(tmp_path / "s.png")
    assert list(tmp_path.iterdir()) == []
