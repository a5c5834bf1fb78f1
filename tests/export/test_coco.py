import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from pycocotools.coco import COCO

from moseg.core.errors import ConfigError, InputError
from moseg.export.clips import find_clips
from moseg.export.coco import write_coco
from moseg.export.instances import Category
from moseg.export.reshape import Reshape, reshape
from tests.evaluation.folders import numbered, write_labels
from tests.export.scenes import blocks, make_clip


def exported(clips, out, shape=Reshape(), **options):  # noqa: B008
    written = write_coco(clips, out, shape, **options)
    assert written.paths == (out / "instances.json",)
    return COCO(str(out / "instances.json")), written.notes


def labels_of(coco: COCO, image_id: int) -> np.ndarray:
    """The picture of ids that an image's annotations make."""
    image = coco.imgs[image_id]
    labels = np.zeros((image["height"], image["width"]), np.uint8)
    for annotation in coco.imgToAnns[image_id]:
        mask = coco.annToMask(annotation).astype(bool)
        assert annotation["area"] == mask.sum()
        assert not labels[mask].any()
        labels[mask] = annotation["track_id"]
        ys, xs = np.nonzero(mask)
        left, top = xs.min(), ys.min()
        assert annotation["bbox"] == [left, top, xs.max() - left + 1, ys.max() - top + 1]
    return labels


def test_pycocotools_reads_the_masks_back(tmp_path) -> None:
    frames = [blocks(2, 1), blocks(), blocks(1, 255)]
    coco, notes = exported([make_clip(tmp_path, frames)], tmp_path / "out")
    assert notes == ()
    assert list(coco.imgs) == [1, 2, 3]
    for image_id, frame in enumerate(frames, 1):
        assert np.array_equal(labels_of(coco, image_id), frame)
    assert sorted(coco.anns) == [1, 2, 3, 4]
    assert {annotation["iscrowd"] for annotation in coco.anns.values()} == {0}


@settings(max_examples=15, deadline=None)
@given(
    frames=stn.arrays(
        np.uint8,
        st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
        elements=st.sampled_from([0, 1, 7]),
    ),
    grow=st.integers(-2, 2),
)
def test_any_masks_come_back_in_the_shape_asked_for(tmp_path_factory, frames, grow) -> None:
    root = tmp_path_factory.mktemp("coco")
    write_labels(root / "pred" / "walk", numbered(frames))
    coco, _ = exported(find_clips(root / "pred", None, None), root / "out", Reshape(grow))
    for image_id, frame in enumerate(frames, 1):
        assert np.array_equal(labels_of(coco, image_id), reshape(frame, grow))


def test_images_are_named_by_scene_and_file_and_counted_over_all_scenes(tmp_path) -> None:
    clips = [make_clip(tmp_path, [blocks(1), blocks(1)], name) for name in ("run", "walk")]
    coco, _ = exported(clips, tmp_path / "out")
    assert [(image["id"], image["file_name"]) for image in coco.imgs.values()] == [
        (1, "run/00000.jpg"),
        (2, "run/00001.jpg"),
        (3, "walk/00000.jpg"),
        (4, "walk/00001.jpg"),
    ]
    assert [(i["video_id"], i["frame_id"]) for i in coco.imgs.values()] == [
        (1, 0),
        (1, 1),
        (2, 0),
        (2, 1),
    ]
    assert coco.dataset["videos"] == [{"id": 1, "name": "run"}, {"id": 2, "name": "walk"}]


def test_without_images_the_names_are_those_of_the_masks_and_it_says_so(tmp_path) -> None:
    write_labels(tmp_path / "pred" / "walk", numbered([blocks(1)]))
    coco, notes = exported(find_clips(tmp_path / "pred", None, None), tmp_path / "out")
    assert coco.imgs[1]["file_name"] == "walk/00000.png"
    assert len(notes) == 1
    assert "--images" in notes[0]


def test_the_category_is_a_choice(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1)])
    coco, _ = exported([clip], tmp_path / "out", category=Category(17, "cat"))
    assert coco.loadCats(17)[0]["name"] == "cat"
    assert coco.anns[1]["category_id"] == 17


def test_counts_are_text_in_json(tmp_path) -> None:
    exported([make_clip(tmp_path, [blocks(1)])], tmp_path / "out")
    content = json.loads((tmp_path / "out" / "instances.json").read_text())
    assert isinstance(content["annotations"][0]["segmentation"]["counts"], str)


def test_ids_have_no_opposite(tmp_path) -> None:
    with pytest.raises(ConfigError, match="coco"):
        write_coco([make_clip(tmp_path, [blocks(1)])], tmp_path / "out", Reshape(invert=True))
    assert not (tmp_path / "out").exists()


def test_other_images_than_those_of_the_masks_are_refused(tmp_path) -> None:
    clip = make_clip(tmp_path, [blocks(1), blocks(1)])
    (tmp_path / "images" / "walk" / "00001.jpg").unlink()
    with pytest.raises(InputError, match="has no frames 00001"):
        write_coco([clip], tmp_path / "out", Reshape())
    assert not (tmp_path / "out").exists()
