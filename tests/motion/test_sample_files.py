"""Samples that lie ready as files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from moseg.core.errors import InputError
from moseg.motion.sample_files import SampleFiles, read_sample
from tests.motion.track_samples import track_sample, write_sample


@pytest.mark.parametrize("lacking", [{}, {"depth": None}, {"depth": None, "features": None}])
def test_a_sample_is_read_back_as_it_was_written(tmp_path, lacking):
    sample = replace(track_sample(), **lacking)
    write_sample(tmp_path / "0.npz", sample)
    found = read_sample(tmp_path / "0.npz")
    assert (found.size, found.query_frame) == (sample.size, sample.query_frame)
    for name in (
        "xy",
        "visible",
        "visibility",
        "confidence",
        "depth",
        "features",
        "label",
        "judged",
    ):
        np.testing.assert_array_equal(getattr(found, name), getattr(sample, name))


def test_what_is_drawn_depends_on_seed_step_and_place_alone(tmp_path):
    for number in range(20):
        write_sample(tmp_path / f"{number:02d}.npz", track_sample(number))
    files = SampleFiles(tmp_path)

    def drawn(*place):
        return files.sample(*place).xy.tobytes()

    assert drawn(0, 1, 2) == drawn(0, 1, 2)
    assert len({drawn(seed, 1, 2) for seed in range(8)}) > 2
    assert len({drawn(0, step, 2) for step in range(8)}) > 2
    assert len({drawn(0, 1, place) for place in range(8)}) > 2


def test_an_empty_folder_ends_in_one_line(tmp_path):
    with pytest.raises(InputError, match="holds no samples"):
        SampleFiles(tmp_path)


def test_a_file_that_lacks_arrays_names_one(tmp_path):
    np.savez(tmp_path / "0.npz", xy=np.zeros((2, 3, 2)))
    with pytest.raises(InputError, match=r"0\.npz lacks 'visible'; make it again"):
        read_sample(tmp_path / "0.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no archive at all"])
def test_a_damaged_file_ends_in_one_line(tmp_path, content):
    (tmp_path / "0.npz").write_bytes(content)
    with pytest.raises(InputError, match="is no sample of tracks"):
        read_sample(tmp_path / "0.npz")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"label": np.zeros(3, bool)}, "label has the shape"),
        ({"depth": np.zeros((24, 4), np.float32)}, "depth has the shape"),
        ({"features": np.zeros((3, 768), np.float16)}, "features are of 3 tracks, not 24"),
        ({"visible": np.zeros((24, 5), bool)}, "no track is visible in frame 0"),
        ({"visible": np.zeros(24, bool)}, r"visible has the shape \(24,\)"),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_told(tmp_path, wrong, told):
    write_sample(tmp_path / "0.npz", replace(track_sample(), **wrong))
    with pytest.raises(InputError, match=told):
        read_sample(tmp_path / "0.npz")
