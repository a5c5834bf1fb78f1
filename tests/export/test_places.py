import json

import numpy as np
import pytest

from moseg.core.errors import OutputError
from moseg.export.binary import write_binary
from moseg.export.clips import find_clips
from moseg.export.coco import write_coco
from moseg.export.cutout import write_alpha
from moseg.export.nerfstudio import write_nerfstudio_data
from moseg.export.places import black_where, make_folder, white_where, write_grey
from moseg.export.reshape import Reshape
from moseg.export.transforms import read_transforms
from moseg.export.youtube_vis import write_youtube_vis
from tests.export.scenes import blocks, make_clip, mode, pixels


@pytest.mark.parametrize("root", ["pred", "images"])
def test_what_is_read_is_never_written_over(tmp_path, root) -> None:
    clip = make_clip(tmp_path, [blocks(7)] * 2, suffix=".png")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    (tmp_path / "link").symlink_to(tmp_path / root)
    for out in (tmp_path / root, tmp_path / "link"):
        with pytest.raises(OutputError, match=r"what is exported lies there|it would mix with"):
            write_binary([clip], out, Reshape())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before


def write_masks(clip, out):
    write_nerfstudio_data(clip, out, Reshape(), read_transforms(out.parent / "transforms.json"))


FORMS = {
    "binary": lambda clip, out: write_binary([clip], out, Reshape()),
    "coco": lambda clip, out: write_coco([clip], out, Reshape()),
    "youtube-vis": lambda clip, out: write_youtube_vis([clip], out, Reshape()),
    "alpha": lambda clip, out: write_alpha([clip], out, Reshape()),
    "transforms": write_masks,
}


@pytest.fixture(params=["", "masks", "initial_preds"])
def pred(request, tmp_path):
    """Predictions of each layout, their images beside them, and a transforms.json."""
    clip = make_clip(tmp_path, [blocks(7)] * 2)
    if request.param:
        (tmp_path / "pred").rename(tmp_path / "plain")
        (tmp_path / "pred").mkdir()
        (tmp_path / "plain").rename(tmp_path / "pred" / request.param)
    frames = [{"file_path": f"images/walk/{name}.jpg"} for name in clip.files]
    (tmp_path / "transforms.json").write_text(json.dumps({"frames": frames}))
    return tmp_path / "pred"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inside", ["", "new", "walk", "walk/new"])
def test_nothing_new_lies_among_the_masks(pred, form, inside) -> None:
    (clip,) = find_clips(pred, pred.parent / "images", None)
    out = clip.files["00000"].parents[1] / inside
    (out.parent / "transforms.json").write_bytes((pred.parent / "transforms.json").read_bytes())
    before = sorted(pred.rglob("*"))
    with pytest.raises(OutputError, match="it would mix with the masks that are exported"):
        FORMS[form](clip, out)
    assert sorted(pred.rglob("*")) == before


@pytest.mark.parametrize("given", ["outer", "inner"])
def test_masks_for_nerfstudio_never_stand_in_for_those_that_are_exported(pred, given) -> None:
    """In the predictions' own folder they would be called `masks`, where moseg looks first."""
    outer = find_clips(pred, pred.parent / "images", None)
    root = outer[0].files["00000"].parents[1]
    (clip,) = outer if given == "outer" else find_clips(root, pred.parent / "images", None)
    before = sorted(pred.rglob("*"))
    with pytest.raises(OutputError, match="it would mix with the masks that are exported"):
        write_masks(clip, pred)
    assert sorted(pred.rglob("*")) == before


def test_beside_the_masks_of_a_run_there_is_room(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(7)])
    (tmp_path / "pred").rename(tmp_path / "masks")
    (clip,) = find_clips(tmp_path, tmp_path / "images", None)
    write_binary([clip], tmp_path, Reshape())
    assert [again.files for again in find_clips(tmp_path, None, None)] == [clip.files]


def test_a_file_in_the_way_is_told(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        make_folder(tmp_path / "file" / "walk", clip)


@pytest.mark.parametrize(("kind", "stored"), [(np.uint8, "L"), (np.uint16, "I;16")])
def test_values_are_stored_as_they_are(tmp_path, kind, stored) -> None:
    values = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (7, 9), dtype=kind)
    write_grey(tmp_path / "a.png", values.T)
    assert mode(tmp_path / "a.png") == stored
    assert np.array_equal(pixels(tmp_path / "a.png"), values.T)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_black_and_white_are_opposites() -> None:
    chosen = np.array([[True, False]])
    assert white_where(chosen).tolist() == [[255, 0]]
    assert black_where(chosen).tolist() == [[0, 255]]
    assert white_where(chosen).dtype == black_where(chosen).dtype == np.uint8
