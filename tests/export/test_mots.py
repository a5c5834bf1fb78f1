import numpy as np
import pytest

from moseg.core.errors import ConfigError
from moseg.export.mots import LAST_CLASS, write_mots
from moseg.export.reshape import Reshape
from tests.export.scenes import blocks, make_clip, mode, pixels


@pytest.mark.parametrize("class_id", [1, 2, LAST_CLASS])
def test_class_and_instance_are_read_back_by_the_rule_of_mots(tmp_path, class_id) -> None:
    frames = [blocks(1, 255), blocks(0, 7), blocks()]
    write_mots([make_clip(tmp_path, frames)], tmp_path / "out", Reshape(), class_id)
    for i, labels in enumerate(frames):
        path = tmp_path / "out" / "walk" / f"{i:05d}.png"
        values = pixels(path).astype(int)
        assert mode(path) == "I;16"
        assert np.array_equal(values % 1000, labels)
        assert np.array_equal(values // 1000, np.where(labels > 0, class_id, 0))


@pytest.mark.parametrize("class_id", [-1, 0, LAST_CLASS + 1])
def test_a_class_that_does_not_fit_is_refused(tmp_path, class_id) -> None:
    with pytest.raises(ConfigError, match=f"class {class_id}: .* from 1 to 65"):
        write_mots([make_clip(tmp_path, [blocks(1)])], tmp_path / "out", Reshape(), class_id)
    assert not (tmp_path / "out").exists()


def test_objects_grow(tmp_path) -> None:
    shape = Reshape(grow=2)
    write_mots([make_clip(tmp_path, [blocks(3)])], tmp_path / "out", shape)
    grown = pixels(tmp_path / "out" / "walk" / "00000.png")
    assert np.array_equal(grown == 1003, shape.labels(blocks(3)) == 3)


def test_ids_cannot_be_inverted(tmp_path) -> None:
    with pytest.raises(ConfigError, match="mots"):
        write_mots([make_clip(tmp_path, [blocks(1)])], tmp_path / "out", Reshape(invert=True))
