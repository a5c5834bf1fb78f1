"""TAPIR: encode a video once, describe points on it, track them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from moseg.models.tapir.backbone import ExtraConvs, ResNet, unit_length
from moseg.models.tapir.grids import Grids, GridWindow, VideoFeatures
from moseg.models.tapir.initialise import CostVolumeHeads, initialise, pin
from moseg.models.tapir.mixer import Mixer
from moseg.models.tapir.queries import QueryFeatures, query_features
from moseg.models.tapir.refine import OUTPUTS, Refinement, token_width
from moseg.models.tapir.schedule import Resolution, resolution_schedule

ITERATIONS = 4
"""Iterations of refinement at each resolution."""

Mix = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Budget:
    """How much is worked on at once: what stays in a CPU's caches, or fills a GPU.

    Attributes:
        cost_maps: frames times points in initialisation.
        volume: numbers in the correlation volume.
        tokens: frames times points in the mixer.
    """

    cost_maps: int
    volume: int
    tokens: int

    @classmethod
    def of(cls, device: torch.device) -> Budget:
        """Return what suits a device."""
        if device.type == "cpu":
            return cls(cost_maps=256, volume=1 << 21, tokens=2048)
        return cls(cost_maps=1 << 11, volume=1 << 24, tokens=1 << 15)


@dataclass(frozen=True)
class PointTracks:
    """Where N points are in T frames.

    Attributes:
        xy: float32 [N, T, 2], raster coordinates of the video: (0, 0) is the corner of the first
            pixel, whose middle is (0.5, 0.5).
        occlusion: float32 [N, T], logit; higher is more likely hidden.
        distance: float32 [N, T], logit; higher is more likely far from the truth.
    """

    xy: Tensor
    occlusion: Tensor
    distance: Tensor


class Tapir(nn.Module):
    """The network.

    Args:
        pyramid_levels: how often the lowres grid is halved for refinement.
        extra_convs: whether the lowres grid passes through `ExtraConvs`.
        causal: whether tracks depend on earlier frames alone, as with online weights.
        temperature: of the softmax over cells in initialisation.
        initial_resolution: height and width at which points are first searched for.
    """

    def __init__(
        self,
        pyramid_levels: int,
        extra_convs: bool,
        causal: bool = False,
        temperature: float = 20.0,
        initial_resolution: Resolution = (256, 256),
    ) -> None:
        super().__init__()
        self.pyramid_levels = pyramid_levels
        self.temperature = temperature
        self.initial_resolution = initial_resolution
        self.resnet_torch = ResNet()
        self.torch_cost_volume_track_mods = CostVolumeHeads()
        self.torch_pips_mixer = Mixer(token_width(pyramid_levels), OUTPUTS, causal)
        self.extra_convs = ExtraConvs() if extra_convs else None

    @property
    def causal(self) -> bool:
        """Whether tracks depend on earlier frames alone."""
        return self.torch_pips_mixer.causal

    def encode(
        self,
        frames: Tensor,
        resolutions: Sequence[Resolution] | None = None,
        chunk: int = 4,
        dtype: torch.dtype = torch.float32,
    ) -> VideoFeatures:
        """Compute the features of frames; each frame is independent of the others.

        Args:
            frames: [T, H, W, 3] RGB, uint8, or float32 in [-1, 1]; T > 0.
            resolutions: those of refinement; by default they follow from H and W.
            chunk: frames that pass through the network at a time.
            dtype: in which the grids are stored. They are always computed in float32 and
                without TF32, whose errors can move the best cell of a flat cost map far away.

        Raises:
            InputError: a resolution is not a multiple of 8.
        """
        size = (frames.shape[1], frames.shape[2])
        schedule = resolution_schedule(size, self.initial_resolution, resolutions)
        window = GridWindow(len(frames))
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            for part in torch.split(frames, chunk):
                images = _images(part)
                grids = {at: self._grids(images, at, dtype) for at in dict.fromkeys(schedule)}
                window.append(VideoFeatures(size, schedule, grids))
        return window.features

    def query(self, features: VideoFeatures, tyx: Tensor) -> QueryFeatures:
        """Describe points on any frames of a video.

        Args:
            tyx: float32 [N, 3]: frame, y, x in raster coordinates of the video.
        """
        return query_features(features, tyx)

    def track(
        self,
        features: VideoFeatures,
        queries: QueryFeatures,
        tyx: Tensor | None = None,
        batch: int = 128,
    ) -> PointTracks:
        """Follow points through all frames; the mean over the levels of refinement.

        Args:
            features: of the video to search.
            queries: of N points, on this video or another one with the same schedule.
            tyx: float32 [N, 3], where the points are known to be; None if that is not known.
            batch: points that are tracked at a time; changes rounding only.
        """
        tracks = _empty_tracks(features, len(queries))
        for first in range(0, len(queries), batch):
            rows = slice(first, first + batch)
            known = None if tyx is None else tyx[rows]
            steps = self.predictions(features, queries.rows(rows), known)
            ends = [step for i, step in enumerate(steps) if i and i % ITERATIONS == 0]
            tracks.xy[rows] = torch.stack([end.xy for end in ends]).mean(0)
            tracks.occlusion[rows] = torch.stack([end.occlusion for end in ends]).mean(0)
            tracks.distance[rows] = torch.stack([end.distance for end in ends]).mean(0)
        return tracks

    def predictions(
        self,
        features: VideoFeatures,
        queries: QueryFeatures,
        tyx: Tensor | None = None,
        mixers: Iterator[Mix] | None = None,
    ) -> Iterator[PointTracks]:
        """Yield the first guess, then what each iteration of each level makes of it.

        Args:
            features, queries, tyx: as in `track`; all points at once.
            mixers: stands in for the mixer in each iteration, one after the other.
        """
        budget = Budget.of(features.initial.lowres.device)
        mixers = mixers or repeat(partial(self.torch_pips_mixer, budget=budget.tokens))
        initial = features.schedule[0]
        positions, logits = self._first_guess(features, queries, tyx, budget.cost_maps)
        yield _as_tracks(positions, logits, initial, features.size)
        for grids, query in zip(features.levels[1:], queries.levels[1:], strict=True):
            state = Refinement(grids, query, positions, logits, initial)
            for _, mix in zip(range(ITERATIONS), mixers):  # noqa: B905 - mixers go on
                state.step(mix, budget.volume)
                yield _as_tracks(state.positions, state.logits, initial, features.size)
            positions = state.positions

    def _first_guess(
        self, features: VideoFeatures, queries: QueryFeatures, tyx: Tensor | None, budget: int
    ) -> tuple[Tensor, Tensor]:
        """Positions in pixels of the initial resolution, and logits, [T, N, 2] each."""
        lowres = features.initial.lowres
        height, width = features.schedule[0]
        cells, logits = initialise(
            self.torch_cost_volume_track_mods,
            lowres,
            queries.levels[0][0],
            self.temperature,
            budget,
        )
        pixels = cells.new_tensor((width / lowres.shape[2], height / lowres.shape[1]))
        positions = cells * pixels
        if tyx is None:
            return positions, logits
        scale = tyx.new_tensor((width / features.size[1], height / features.size[0]))
        return pin(positions, tyx[:, 0], tyx[:, [2, 1]] * scale), logits

    def _grids(self, images: Tensor, resolution: Resolution, dtype: torch.dtype) -> Grids:
        if images.shape[2:] != resolution:
            images = F.interpolate(images, resolution, mode="bilinear", align_corners=False)
        hires, lowres = self.resnet_torch(images)
        if self.extra_convs is not None:
            lowres = self.extra_convs(lowres)
        return Grids.of(unit_length(hires), unit_length(lowres), self.pyramid_levels, dtype)


def _images(frames: Tensor) -> Tensor:
    """Return frames [n, H, W, 3] as float32 [n, 3, H, W] in [-1, 1]."""
    values = frames / 255 * 2 - 1 if frames.dtype == torch.uint8 else frames
    return values.permute(0, 3, 1, 2)


def _as_tracks(
    positions: Tensor, logits: Tensor, initial: Resolution, size: Resolution
) -> PointTracks:
    """Turn time-major positions at the initial resolution into tracks in the video's pixels."""
    scale = positions.new_tensor((size[1] / initial[1], size[0] / initial[0]))
    occlusion, distance = logits.permute(2, 1, 0).clone()
    return PointTracks((positions * scale).transpose(0, 1), occlusion, distance)


def _empty_tracks(features: VideoFeatures, points: int) -> PointTracks:
    lowres = features.initial.lowres
    xy = torch.empty(points, len(features), 2, device=lowres.device)
    logits = torch.empty(2, points, len(features), device=lowres.device)
    return PointTracks(xy, logits[0], logits[1])
