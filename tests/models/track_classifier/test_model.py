"""The network: strict keys, slices, threads, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from moseg.core.errors import BackendError
from moseg.models.track_classifier import slices
from moseg.models.track_classifier.model import TrackClassifier, build_classifier
from moseg.models.track_classifier.motion_encoder import Visible
from moseg.models.track_classifier.options import Options
from tests.models.track_classifier.cases import VARIANTS, random_classifier, random_inputs


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def network() -> TrackClassifier:
    return random_classifier()


def test_answers_differ_between_tracks(network: TrackClassifier) -> None:
    assert network(**random_inputs(30, 6)).std() > 0.1


def test_order_of_tracks_does_not_matter(network: TrackClassifier) -> None:
    inputs = random_inputs(30, 6)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    moved = {k: v[:, order] if k == "traj" else v[order] for k, v in inputs.items()}
    torch.testing.assert_close(network(**moved), network(**inputs)[order], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [None, "dino_early", "oanet_dino_att"])
def test_slices_do_not_matter(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_classifier(Options(**VARIANTS[name]) if name else None)
    inputs = random_inputs(37, 6)
    whole = network(**inputs)
    for size in (1, 5 * 6 * 16):
        monkeypatch.setitem(slices.SLICE, "cpu", size)
        torch.testing.assert_close(network(**inputs), whole, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("name", [None, "dino_early", "oanet_dino_att"])
def test_threads_do_not_matter(name: str | None) -> None:
    network = random_classifier(Options(**VARIANTS[name]) if name else None)
    inputs = random_inputs(1500, 4)
    alone = network(**inputs)
    for count in (2, 3):
        torch.set_num_threads(count)
        assert network(**inputs).numpy().tobytes() == alone.numpy().tobytes()
        assert torch.get_num_threads() == count


def test_a_thread_that_fails_says_so(network: TrackClassifier) -> None:
    torch.set_num_threads(3)
    with pytest.raises(RuntimeError):
        network(**{**random_inputs(1500, 4), "dino": torch.zeros(1500, 5)})
    assert torch.get_num_threads() == 3


def test_one_frame_and_one_track(network: TrackClassifier) -> None:
    one = {k: v[:, :1] if k == "traj" else v[:1] for k, v in random_inputs(2, 6).items()}
    assert network(**one).isfinite().all()
    assert network(**random_inputs(9, 1, hidden=0)).isfinite().all()
    single = {k: v[:, :1] if k == "traj" else v[:1] for k, v in random_inputs(2, 1).items()}
    assert random_classifier(Options(oanet=True, dino=False))(**single).isfinite().all()


def test_a_frame_without_visible_tracks_is_refused(network: TrackClassifier) -> None:
    inputs = dict(random_inputs(8, 6))
    inputs["mask"] = inputs["mask"].clone()
    inputs["mask"][:, 4] = 1
    with pytest.raises(ValueError, match="no track is visible in frame 4"):
        network(**inputs)


def test_a_track_that_is_never_visible_takes_part_in_the_first_frame() -> None:
    hidden = torch.tensor([[0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
    visible = Visible(hidden)
    assert visible.keep.tolist() == [
        [True, False, True],
        [True, False, False],
        [False, True, False],
    ]
    assert [rows.tolist() for rows in visible.rows] == [[0, 1], [2], [0]]


@pytest.mark.parametrize("name", ["depth", "visibility", "confidence", "dino"])
def test_a_missing_input_is_named(network: TrackClassifier, name: str) -> None:
    with pytest.raises(ValueError, match=f"need {name}"):
        network(**{**random_inputs(8, 6), name: None})


@pytest.mark.parametrize(
    ("flags", "unused"),
    [
        ({"depths": False}, ["depth"]),
        ({"extra_info": False}, ["visibility", "confidence"]),
        ({"tracks": False}, ["visibility", "confidence"]),
        ({"dino": False}, ["dino"]),
    ],
)
def test_what_options_leave_out_may_be_left_out(flags: dict[str, bool], unused: list[str]) -> None:
    network = random_classifier(Options(**flags))
    inputs = random_inputs(8, 6)
    less = {**inputs, **dict.fromkeys(unused)}
    assert torch.equal(network(**less), network(**inputs))


def test_keys_are_strict() -> None:
    state = dict(random_classifier().state_dict())
    same = build_classifier(state, "x.pth", Options())
    inputs = random_inputs(8, 6)
    assert torch.equal(same(**inputs), random_classifier()(**inputs))
    assert not same.training
    gone = {k: v for k, v in state.items() if k != "decoder.output_layer.bias"}
    with pytest.raises(BackendError, match=r"x.pth .*missing: decoder.output_layer.bias"):
        build_classifier(gone, "x.pth", Options())
    with pytest.raises(BackendError, match="unexpected: extra"):
        build_classifier({**state, "extra": torch.zeros(1)}, "x.pth", Options())


def test_half_precision_weights_are_computed_in_full() -> None:
    state = {key: value.half() for key, value in random_classifier().state_dict().items()}
    logits = build_classifier(state, "x.pth", Options())(**random_inputs(8, 6))
    assert logits.dtype == torch.float32


def test_gradients_reach_every_weight() -> None:
    with torch.inference_mode(False):
        network = random_classifier().requires_grad_()
        inputs = {key: value.clone() for key, value in random_inputs(8, 6).items()}
        network(**inputs).sum().backward()
        without = [k for k, v in network.named_parameters() if v.grad is None]
    assert not without
