"""The network against reference outputs, and whether the comparison would notice mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from moseg.models.track_classifier import motion_encoder
from moseg.models.track_classifier.features import track_features
from moseg.models.track_classifier.model import TrackClassifier, build_classifier
from moseg.models.track_classifier.options import Options, fitting_options
from tests import parity
from tests.models.track_classifier import cases

pytestmark = pytest.mark.parity

RTOL, ATOL, ATOL_FEATURES = 1e-4, 2e-5, 1e-6


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def build(name: str | None = None) -> TrackClassifier:
    options = Options() if name is None else cases.variant(name)
    return build_classifier(cases.official_tensors(name), "official.pth", options)


def runs() -> list[object]:
    """The files with inputs."""
    return [p for p in parity.cases(cases.KIND) if _holds(p, "in_traj")]


def variants() -> list[object]:
    """File and name of every variant with outputs."""
    found = []
    for case in parity.cases(cases.KIND):
        path = case.values[0]
        if path is None:
            return [pytest.param(None, "", id="none", marks=case.marks)]
        with np.load(path) as stored:
            names = [n.removeprefix("out_logits_") for n in stored if n.startswith("out_logits_")]
        found += [pytest.param(path, name, id=name) for name in names]
    return found


def _holds(case: object, key: str) -> bool:
    path = case.values[0]  # type: ignore[attr-defined]
    if path is None:
        return True
    with np.load(path) as stored:
        return key in stored


@pytest.mark.parametrize("path", runs())
def test_features(path: Path) -> None:
    inputs = cases.read_inputs(path)
    found = track_features(
        Options(),
        inputs["traj"].permute(1, 2, 0),
        inputs["mask"],
        inputs["depth"],
        inputs["visibility"],
        inputs["confidence"],
    )
    with np.load(path) as stored:
        names = [name for name in stored if name.startswith("out_aug_tracks")]
        assert names
        for name in names:
            first, last = map(int, name.removeprefix("out_aug_tracks").split("_"))
            np.testing.assert_allclose(
                found[first:last].permute(2, 0, 1),
                stored[name][0],
                rtol=RTOL,
                atol=ATOL_FEATURES,
            )


@pytest.mark.parametrize("path", runs())
def test_embedding_and_logits(path: Path) -> None:
    network, inputs = build(), cases.read_inputs(path)
    with np.load(path) as stored:
        close(network.embed(**inputs).T, stored["out_embedding"][0])
        logits = network(**inputs)
        close(logits, stored["out_logits"][0, 0])
        close(logits.sigmoid(), stored["out_prob"][0, 0])


@pytest.mark.parametrize(("path", "name"), variants())
def test_variant(path: Path, name: str) -> None:
    network = build(name)
    inputs = cases.read_inputs(path.with_name("masked.npz"))
    with np.load(path) as stored:
        embedding, logits = stored[f"out_embedding_{name}"][0], stored[f"out_logits_{name}"][0, 0]
    close(network.embed(**inputs).T, embedding)
    if not network.options.oanet:
        close(network(**inputs), logits)
        return
    # OANet magnifies rounding to near the tolerance, the reference's and ours: the architecture
    # is compared in double precision, and our own rounding by itself.
    exact = network.double()(**{key: value.double() for key, value in inputs.items()})
    close(exact, logits)
    torch.testing.assert_close(build(name)(**inputs), exact.float(), rtol=5 * RTOL, atol=5 * ATOL)


@pytest.mark.parametrize("name", [None, *cases.VARIANTS])
def test_weights_tell_their_variant(name: str | None) -> None:
    keys = cases.official_keys(name)
    shapes = {key: about["shape"] for key, about in keys.items()}
    options = Options() if name is None else cases.variant(name)
    told = {"time_att": options.time_att, "depths": options.depths}
    assert fitting_options(shapes, "official.pth", told) == options


@pytest.mark.parametrize("path", parity.cases(cases.KIND, "masked*.npz"))
class TestMistakesAreNoticed:
    """Each of these is easy to make and changes the answer by far more than the tolerance."""

    def test_depth_read_at_the_right_place(self, path: Path) -> None:
        self.differs(build(), path, cases.read_inputs(path, "pixel"))

    def test_cross_attention_with_hidden_frames_left_out(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inputs = cases.read_inputs(path)
        keep = motion_encoder.Visible(inputs["mask"]).keep

        def finish(self: motion_encoder.DecoderLayer, x: Tensor, memory: Tensor) -> Tensor:
            asked = self.multihead_attn
            x = self.norm2(x + asked(x, asked.answers(memory), keep))
            return self.norm3(x + self.feedforward(x))

        monkeypatch.setattr(motion_encoder.DecoderLayer, "_finish", finish)
        self.differs(build(), path, inputs)

    def test_tracks_before_frames(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def forward(
            self: motion_encoder.EncoderLayer, x: Tensor, visible: motion_encoder.Visible
        ) -> Tensor:
            x = self.over_tracks(x, visible, self.norm3)
            x = self.over_frames(x, visible, self.norm1)
            return self.norm2(x + self.feedforward(x))

        monkeypatch.setattr(motion_encoder.EncoderLayer, "forward", forward)
        self.differs(build(), path)

    def test_hidden_tracks_opened_everywhere(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        right = motion_encoder.Visible.__init__

        def init(self: motion_encoder.Visible, hidden: Tensor) -> None:
            never = (hidden > 0.5).all(dim=1, keepdim=True)
            right(self, torch.where(never, torch.zeros_like(hidden), hidden))

        monkeypatch.setattr(motion_encoder.Visible, "__init__", init)
        self.differs(build(), path)

    def test_motion_gated_by_this_frame(self, path: Path) -> None:
        network = build()
        network.joint_encoder._enter = _gated_by_this_frame(network)  # type: ignore[method-assign]
        self.differs(network, path)

    def differs(
        self, network: TrackClassifier, path: Path, inputs: dict[str, Tensor] | None = None
    ) -> None:
        with np.load(path) as stored:
            right = stored["out_logits"][0, 0]
        found = network(**(inputs or cases.read_inputs(path))).numpy()
        assert np.abs(found - right).max() > 500 * ATOL


def _gated_by_this_frame(network: TrackClassifier) -> Callable[..., Tensor]:
    enter = network.joint_encoder._enter

    def wrong(position: Tensor, hidden: Tensor, *others: Tensor) -> Tensor:
        return enter(position, hidden.roll(1, dims=1), *others)

    return wrong


def close(found: Tensor, expected: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(found.numpy(), expected, rtol=RTOL, atol=ATOL)
