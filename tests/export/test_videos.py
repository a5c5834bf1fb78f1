from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import ConfigError, InputError, OutputError
from moseg.core.frame_index import FrameIndex
from moseg.export.clips import MaskClip, find_clips
from moseg.export.cutout import write_alpha, write_prores
from moseg.export.green_screen import GREEN, parse_colour, write_green_screen
from moseg.export.reshape import Reshape
from moseg.export.videos import constant_rate
from tests.evaluation.folders import numbered, write_labels
from tests.export.scenes import make_clip
from tests.media import moving_square_frames, write_images, write_video
from tests.render.written_videos import read, stored_alpha

UNEVEN = [0.0, 0.04, 0.2, 0.24, 0.5]
FORMS = pytest.mark.parametrize(
    ("write", "name"),
    [
        (write_green_screen, "walk_green_screen.mp4"),
        (write_alpha, "walk_alpha.mp4"),
        (write_prores, "walk_prores.mov"),
    ],
    ids=["green_screen", "alpha", "prores"],
)
CUTOUTS = pytest.mark.parametrize("write", [write_alpha, write_prores], ids=["alpha", "prores"])


def square_labels(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Ids of the square of `moving_square_frames`: 2 in its upper half, 5 in its lower."""
    labels = []
    for frame in moving_square_frames(count, height, width):
        red = frame[..., 0] == 220
        rows = np.arange(height)[:, None]
        labels.append(np.where(red, np.where(rows < height // 4 + 8, 2, 5), 0).astype(np.uint8))
    return labels


def clip_of_images(root: Path, count: int = 3, height: int = 48, width: int = 64) -> MaskClip:
    write_labels(root / "pred" / "walk", numbered(square_labels(count, height, width)))
    write_images(root / "images" / "walk", moving_square_frames(count, height, width))
    return find_clips(root / "pred", root / "images", None)[0]


def clip_of_video(root: Path, count: int, **timing) -> MaskClip:
    write_labels(root / "pred" / "walk", numbered(square_labels(count)))
    write_video(root / "walk.mp4", moving_square_frames(count), **timing)
    return find_clips(root / "pred", root / "walk.mp4", None)[0]


def alphas(path: Path) -> list[np.ndarray]:
    """bool [H, W] of each frame; alpha that is neither 0 nor full is refused."""
    with av.open(str(path)) as container:
        found = [stored_alpha(frame) for frame in container.decode(video=0)]
    assert all(set(np.unique(alpha)) <= {0, 255, 4095} for alpha in found)
    return [alpha > 0 for alpha in found]


@CUTOUTS
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_alpha_is_the_mask_at_any_size(tmp_path, write, size) -> None:
    clip = clip_of_images(tmp_path, 3, *size)
    written = write([clip], tmp_path / "out", Reshape())
    for found, labels in zip(alphas(written.paths[0]), square_labels(3, *size), strict=True):
        assert np.array_equal(found, labels > 0)


@CUTOUTS
def test_alpha_takes_the_shape_asked_for(tmp_path, write) -> None:
    shape = Reshape(grow=-2, invert=True)
    written = write([clip_of_images(tmp_path)], tmp_path / "out", shape)
    for found, labels in zip(alphas(written.paths[0]), square_labels(3), strict=True):
        assert np.array_equal(found, shape.labels(labels) == 0)


@CUTOUTS
def test_alpha_is_straight_so_colours_are_the_source_s_everywhere(tmp_path, write) -> None:
    clip = clip_of_images(tmp_path)
    (path,) = write([clip], tmp_path / "out", Reshape()).paths
    with av.open(str(path)) as container:
        shown = [f.reformat(format="rgba").to_ndarray() for f in container.decode(video=0)]
    furthest = 0 if write is write_alpha else 8
    for frame, source in zip(shown, moving_square_frames(3), strict=True):
        assert np.abs(frame[..., :3].astype(int) - source).max() <= furthest


@pytest.mark.parametrize("invert", [False, True])
def test_a_green_screen_is_green_where_nothing_moves_and_the_source_elsewhere(
    tmp_path, invert: bool
) -> None:
    shape = Reshape(invert=invert)
    (path,) = write_green_screen([clip_of_images(tmp_path)], tmp_path / "out", shape).paths
    sources, labels = moving_square_frames(3), square_labels(3)
    for frame, source, ids in zip(read(path)[0], sources, labels, strict=True):
        shown = shape.chosen(ids)
        wanted = np.where(shown[..., None], source, np.array(GREEN, np.uint8))
        away = ~edge(shown)
        assert np.abs(frame.astype(int) - wanted)[away].max() < 30
        assert np.abs(frame[away & ~shown].astype(int) - GREEN).max() < 10


def edge(mask: np.ndarray) -> np.ndarray:
    """Pixels within 4 of both sides of a mask, where the codec mixes colours."""
    labels = mask.astype(np.uint8)
    return Reshape(4).chosen(labels) & ~Reshape(-4).chosen(labels)


def test_a_green_screen_of_an_odd_size_is_one_pixel_larger(tmp_path) -> None:
    clip = clip_of_images(tmp_path, 2, 47, 63)
    (path,) = write_green_screen([clip], tmp_path / "out", Reshape()).paths
    assert [frame.shape for frame in read(path)[0]] == [(48, 64, 3)] * 2


def test_the_screen_can_have_another_colour(tmp_path) -> None:
    clip = clip_of_images(tmp_path, 2)
    (path,) = write_green_screen([clip], tmp_path / "out", Reshape(), (0, 0, 255)).paths
    assert np.abs(read(path)[0][0][-8:].astype(int) - (0, 0, 255)).max() < 10


def test_colours_have_names_or_hexadecimal_digits() -> None:
    assert parse_colour("green") == parse_colour("00ff00") == parse_colour("#00FF00") == GREEN
    assert parse_colour("#102030") == (16, 32, 48)
    for text in ("", "lime", "0f0", "#00ff000", "00gg00"):
        with pytest.raises(ConfigError, match="colour"):
            parse_colour(text)


@FORMS
def test_times_are_those_of_the_source(tmp_path, write, name) -> None:
    written = write([clip_of_video(tmp_path, 5, times=UNEVEN)], tmp_path / "out", Reshape())
    assert written.paths == (tmp_path / "out" / name,)
    frames, times = read(written.paths[0])
    assert len(frames) == 5
    assert times == pytest.approx(UNEVEN, abs=1e-4)
    assert written.notes == ()


@FORMS
def test_a_constant_rate_stays_one(tmp_path, write, name) -> None:
    rate = Fraction(24000, 1001)
    clip = clip_of_video(tmp_path, 6, fps=float(rate))
    write([clip], tmp_path / "out", Reshape())
    with av.open(str(tmp_path / "out" / name)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == rate
        steps = [packet.duration for packet in container.demux(stream) if packet.size]
        assert len(set(steps)) == 1


def test_a_rate_that_was_measured_from_rounded_stamps_is_set_right(tmp_path) -> None:
    rate = Fraction(24000, 1001)
    stamps = [round(float(i / rate), 3) for i in range(60)]
    clip = clip_of_video(tmp_path, 60, times=stamps)
    assert clip.known_images().index.fps != float(rate)
    (path,) = write_alpha([clip], tmp_path / "out", Reshape()).paths
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == rate


def test_what_the_writer_did_differently_is_told(tmp_path, monkeypatch) -> None:
    clip = clip_of_images(tmp_path)
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    written = write_green_screen([clip], tmp_path / "out", Reshape())
    assert len(written.notes) == 1
    assert "walk_green_screen.mp4: this PyAV has no H.264 encoder" in written.notes[0]


def index_of(times, fps: float) -> FrameIndex:
    names = tuple(f"{i:05d}" for i in range(len(times)))
    return FrameIndex("video", names, tuple(times), fps, 4, 4)


@given(
    rate=st.sampled_from([Fraction(24), Fraction(30), Fraction(24000, 1001)]),
    count=st.integers(60, 300),
    step=st.sampled_from([1000, 12800, 90000]),
    stated=st.booleans(),
)
def test_rounded_stamps_are_a_constant_rate(rate, count, step, stated) -> None:
    stamps = [round(i / rate * step) / step for i in range(count)]
    fps = float(rate) if stated else (count - 1) / stamps[-1]
    assert constant_rate(index_of(stamps, fps)) == rate


@given(place=st.integers(1, 58), late=st.floats(0.002, 0.03))
def test_one_late_frame_is_no_constant_rate(place: int, late: float) -> None:
    stamps = [i / 30 + (late if i == place else 0.0) for i in range(60)]
    assert constant_rate(index_of(stamps, 30.0)) is None


def test_one_frame_and_unusual_rates_have_a_rate_too() -> None:
    assert constant_rate(index_of([0.0], 25.0)) == 25
    assert constant_rate(index_of([0.0, 3.0, 6.0], 1 / 3)) == Fraction(1, 3)
    assert constant_rate(index_of([0.0, 0.08, 0.16], 12.5)) == Fraction(25, 2)


@FORMS
def test_one_video_a_scene_and_nothing_else(tmp_path, write, name) -> None:
    clips = [clip_of_images(tmp_path), make_clip(tmp_path / "more", square_labels(2), "run")]
    written = write(clips, tmp_path / "out", Reshape())
    assert [path.name for path in written.paths] == [name, name.replace("walk", "run")]
    assert sorted((tmp_path / "out").iterdir()) == sorted(written.paths)


@FORMS
def test_without_images_it_says_how_to_give_them(tmp_path, write, name) -> None:
    write_labels(tmp_path / "pred" / "walk", numbered(square_labels(2)))
    with pytest.raises(InputError, match="--images"):
        write(find_clips(tmp_path / "pred", None, None), tmp_path / "out", Reshape())
    assert not (tmp_path / "out").exists()


def test_no_video_is_made_where_the_images_of_another_scene_are_wrong(tmp_path) -> None:
    clips = [clip_of_images(tmp_path / name) for name in ("good", "bad")]
    (tmp_path / "bad" / "images" / "walk" / "00001.png").unlink()
    with pytest.raises(InputError, match="has no frames 00001"):
        write_alpha(clips, tmp_path / "out", Reshape())
    assert not (tmp_path / "out").exists()


def test_a_video_never_replaces_its_source(tmp_path) -> None:
    clip_of_video(tmp_path, 2)
    source = (tmp_path / "walk.mp4").rename(tmp_path / "walk_alpha.mp4")
    before = source.read_bytes()
    clip = find_clips(tmp_path / "pred", source, None)[0]
    with pytest.raises(OutputError, match=r"walk_alpha\.mp4: what is exported lies there"):
        write_alpha([clip], tmp_path, Reshape())
    assert source.read_bytes() == before


@FORMS
def test_an_unreadable_mask_in_the_middle_leaves_no_video(tmp_path, write, name) -> None:
    clip = clip_of_images(tmp_path)
    clip.files["00001"].write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"00001\.png"):
        write([clip], tmp_path / "out", Reshape())
    assert list((tmp_path / "out").iterdir()) == []
