"""What is timed: one way through the work of a scene, on the same network."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stage_cases.common import Clock, peak_mb, read_frames
from stage_cases.common import Setting as ClipSetting
from transformers import Sam2VideoModel

from mask_cases.reference import ReferencePredictor, sorted_medoid
from moseg.checkpoints.weights import read_weights
from moseg.core.device import Device
from moseg.models.foundation import sam2
from moseg.sam2.points import medoid
from moseg.sam2.video.driver import Sam2Predictor
from moseg.sam2.video.settings import VideoSettings

GROUPING_CLICKS = 5


@dataclass(frozen=True)
class Work:
    """What is measured.

    Attributes:
        case: `full` or `middle`.
        size: of the network, `tiny` to `large`; or the path of a checkpoint.
        frames, objects: of the clip.
        points: visible tracks of a group, of which the medoid is clicked.
    """

    clip: str
    case: str
    size: str
    frames: int
    objects: int
    points: int
    device: str
    precision: str


def make_network(work: Work) -> Sam2VideoModel:
    """Return SAM 2 of a published size with random weights, or a checkpoint's.

    To it every object is there, as the time depends on that.
    """
    torch.manual_seed(0)
    sizes = {size.name: size for size in sam2.SIZES}
    if work.size in sizes:
        network = Sam2VideoModel(sam2.make_config(sizes[work.size], temporal=False))
    else:
        network = sam2.build(read_weights(Path(work.size)))
    network.train(False)
    network.requires_grad_(False)
    score: Any = network.mask_decoder.pred_obj_score_head.proj_out
    score.bias.add_(10.0)
    torch.nn.Module.to(network, work.device)
    return network


def run_way(way: str, work: Work, folder: Path) -> dict[str, Any]:
    """Do the work one way, here; return its figures and the logits of all masks."""
    network = make_network(work)
    told = ClipSetting(
        Path(work.clip), work.frames, 0, 0, 0, work.device, work.precision, work.size
    )
    frames = read_frames(told)
    size = frames.shape[1], frames.shape[2]
    device = Device(work.device, "bfloat16" if work.precision == "bfloat16" else "float32")
    clock = Clock(work.device)
    spent = {"encoding": 0.0, "tracking": 0.0}
    _time_encoder(network, clock, spent)
    common = network, iter(frames), work.frames, size
    predictor: Sam2Predictor | ReferencePredictor
    begin = time.perf_counter()
    if way == "ours":
        predictor = Sam2Predictor(*common, folder, VideoSettings(), device)
        predictor.open_window(range(work.frames))
        logits = do_work(predictor, medoid, work, size, clock, spent)
        predictor.close()
    else:
        predictor = ReferencePredictor(*common, device)
        logits = do_work(predictor, sorted_medoid, work, size, clock, spent)
    clock.time(lambda: None)
    return {
        "seconds": time.perf_counter() - begin,
        **spent,
        "encoded": predictor.features.encoded,
        "peak_mb": peak_mb(work.device),
        "logits": logits,
    }


def do_work(
    predictor: Sam2Predictor | ReferencePredictor,
    find_medoid: Callable[[NDArray[np.float32]], int],
    work: Work,
    size: tuple[int, int],
    clock: Clock,
    spent: dict[str, float],
) -> NDArray[np.float32]:
    """Group, prompt and follow; return every eighth logit of all masks [n, h, w]."""
    draw = np.random.default_rng(0)
    height, width = size
    forwards, backwards = range(work.frames), range(work.frames - 1, -1, -1)
    middle = work.frames // 2
    passes = [[forwards], [backwards]]
    if work.case == "middle":
        passes = [[forwards[middle:], backwards[-1 - middle :]]]
    points = draw.uniform([0, 0], [width, height], (work.points, 2)).astype(np.float32)
    for turn in range(GROUPING_CLICKS):
        chosen = find_medoid(points)
        predictor.click(turn % work.frames, points[chosen : chosen + 1])
    kept = {}
    for number, directions in product(range(work.objects), passes):
        own = points[number :: work.objects]
        one = predictor.new_object()
        chosen = find_medoid(own)
        first = directions[0][0]
        one.click(first, own[chosen : chosen + 1])
        one.click(first, own[:3])
        for frames in directions:
            follow = one.propagate(frames)
            for frame in frames:
                encoding, begin = spent["encoding"], clock.now()
                next(follow)
                spent["tracking"] = clock.now() - begin - (spent["encoding"] - encoding)
                outputs = one.session.conditioning | one.session.tracked
                kept[number, first, frame] = (
                    outputs[frame]["pred_masks"][0, 0, ::8, ::8].cpu().numpy()
                )
    return np.stack([kept[key] for key in sorted(kept)])


def _time_encoder(network: Sam2VideoModel, clock: Clock, spent: dict[str, float]) -> None:
    """Count the seconds in the image encoder; they do not count as tracking."""
    inner: Any = network.get_image_features

    def timed(*inputs: Any, **named: Any) -> Any:
        found: list[Any] = []
        spent["encoding"] += clock.time(lambda: found.append(inner(*inputs, **named)))
        return found[0]

    outer: Any = network
    outer.get_image_features = timed
