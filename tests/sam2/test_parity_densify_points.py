"""The densifier's rules give what the reference gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.sam2.grouping import FEWEST, TrackPool, find_groups
from moseg.sam2.merging import Overlaps
from moseg.sam2.painting import paint, paint_order
from moseg.sam2.points import centre_and_ends, dilated, inside, medoid
from moseg.sam2.tracks import TrackWindow
from tests import parity

pytestmark = pytest.mark.parity

files = pytest.mark.parametrize("file", parity.cases("densify_points", "**/functions.npz"))


def arrays(file: Path) -> dict[str, NDArray[np.generic]]:
    with np.load(file) as stored:
        return dict(stored)


def merge_groups(file: Path, case: str) -> list[tuple[int, ...]]:
    told = json.loads((file.parent / "groups.json").read_text(encoding="utf-8"))
    return [tuple(told[case][number]) for number in sorted(told[case], key=int)]


@files
def test_points(file):
    case = arrays(file)
    points = case["in_points"]
    assert points[medoid(points)].tolist() == case["out_densest"][0].tolist()
    chosen = centre_and_ends(points)
    assert chosen[0] == case["out_nearest_index"]
    assert chosen[1:].tolist() == case["out_farthest_index"].tolist()
    np.testing.assert_allclose(points[chosen[1:]], case["out_farthest"], rtol=1e-6)


@files
@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_points(file, count):
    case = arrays(file)
    points = case["in_points"][:count]
    assert points[medoid(points)].tolist() == case[f"out_first{count}_densest"][0].tolist()
    chosen = centre_and_ends(points)
    assert chosen[0] == case[f"out_first{count}_nearest_index"]
    assert chosen[1:].tolist() == case[f"out_first{count}_farthest_index"].tolist()


@files
def test_points_in_masks(file):
    case = arrays(file)
    mask, query = case["in_mask"][0], case["in_query"]
    assert np.array_equal(inside(mask, query), case["out_in_mask"])
    # The reference truncates in the scaled image, then again in that of the mask.
    twice = np.trunc(query * np.float32(0.5)) / np.float32(0.5)
    assert np.array_equal(inside(mask, twice), case["out_in_mask_scaled"])


@files
@pytest.mark.parametrize("side", [3, 6])
def test_dilation(file, side):
    case = arrays(file)
    assert np.array_equal(dilated(case["in_mask"][0], side), case[f"out_dilated{side}"][0] > 0)


@files
def test_how_many_points_make_a_group(file):
    case = arrays(file)
    assert np.array_equal(case["in_judge_counts"] >= FEWEST, case["out_judge"])


@files
def test_grouping(file):
    case = arrays(file)
    labels = case["in_group_label_frames"]
    window = TrackWindow(
        0, np.ascontiguousarray(case["in_group_traj"].transpose(1, 2, 0)), case["in_group_visible"]
    )
    calls = []

    def click(frame, points):
        assert points.shape == (1, 2)
        x, y = points[0]
        calls.append((frame, x, y))
        label = labels[frame, int(y), int(x)]
        return (labels[frame] == label) & (label > 0)

    groups = find_groups(TrackPool(window), click)
    np.testing.assert_allclose(np.array(calls), case["out_group_calls"], rtol=1e-6)
    assert [group.frame for group in groups] == case["out_group_time"].tolist()
    assert [group.support for group in groups] == case["out_group_num"].tolist()
    assert case["out_group_ids"].tolist() == list(range(1, len(groups) + 1))
    for number, group in enumerate(groups, start=1):
        part = window.part(group.rows)
        assert np.array_equal(part.xy.transpose(0, 2, 1), case[f"out_group_{number}_traj"])
        assert np.array_equal(part.visible, case[f"out_group_{number}_visible"])


@files
def test_merging_and_painting(file):
    case = arrays(file)
    names = case["in_merge_ids"].tolist()
    masks = case["in_merge_masks"]
    assert not masks[~case["in_merge_present"]].any()
    overlaps = Overlaps()
    for frame in masks:
        overlaps.add(names, list(frame))
    # The reference numbers objects without partners in no particular order.
    groups = merge_groups(file, "merge")
    assert sorted(overlaps.groups(names)) == sorted(groups)
    merged = np.stack(
        [masks[:, [names.index(name) for name in group]].any(axis=1) for group in groups], axis=1
    )
    assert np.array_equal(merged, case["out_merge_masks"])
    ids = case["out_merge_ids"].tolist()
    order = paint_order(dict.fromkeys(ids, 0.5))
    for frame, wanted in zip(merged, case["out_label_map"], strict=True):
        by_id = dict(zip(ids, frame, strict=True))
        painted = paint({name: by_id[name] for name in order}, wanted.shape)
        assert np.array_equal(painted, wanted)


def disc(x: int, y: int, radius: int) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[:60, :60]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


@files
@pytest.mark.parametrize(
    ("case", "frames"),
    [
        ("overlap_contained_pair", [(disc(20, 30, 6), disc(40, 30, 6), disc(30, 30, 25))]),
        ("overlap_first_contains", [(disc(30, 30, 25), disc(20, 30, 6), disc(40, 30, 6))]),
        (
            "quarter_of_frames",
            [
                (disc(15, 30, 9), disc(15, 30, 9), disc(15 if at == 0 else 45, 30, 9))
                for at in range(4)
            ],
        ),
    ],
)
def test_small_merges(file, case, frames):
    overlaps = Overlaps()
    for masks in frames:
        overlaps.add([1, 2, 3], masks)
    wanted = merge_groups(file, case)
    if case == "overlap_contained_pair":
        assert wanted == [(1, 3), (2, 3)], "the defect that is mended"
        wanted = [(1, 2, 3)]
    assert overlaps.groups([1, 2, 3]) == wanted
