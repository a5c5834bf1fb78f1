"""Which backends a configuration stands for, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moseg.core.selection import EFFICIENT
from moseg.core.stage import Backend, NoParams, Params
from moseg.motion.backend import StatisticsLabels, StatisticsParams
from moseg.motion.classifier import ClassifierParams, TrackClassifierLabels
from moseg.pipeline.config import PipelineConfig
from moseg.preproc.depths.backend import Geometry, GeometryParams
from moseg.preproc.depths.depth_anything import DepthAnythingDepths, DepthAnythingParams
from moseg.preproc.depths.reference import ReferenceDepths
from moseg.preproc.dinos.backend import HandmadeFeatures, HandmadeParams
from moseg.preproc.dinos.dinov2 import Dinov2Features, Dinov2Params
from moseg.preproc.dinos.reference import ReferenceFeatures
from moseg.preproc.flow.backend import DisFlow
from moseg.preproc.frames.source import SourceFrames
from moseg.preproc.queries.backend import LONGEST_WINDOW, GridQueries, WindowedParams
from moseg.preproc.queries.reference import ReferenceQueries
from moseg.preproc.tracks.backend import GridParams, GridTracks
from moseg.preproc.tracks.memory import window_length
from moseg.preproc.tracks.reference import ReferenceTracks
from moseg.preproc.tracks.tapir import TapirParams, TapirTracks
from moseg.render.backends import Overlay, Preview
from moseg.render.exports.depth_images import DepthImages
from moseg.render.exports.dynamic_tracks import DynamicTracks
from moseg.render.exports.feature_files import FeatureFiles
from moseg.render.exports.images import ExtractImages, ResizedImages
from moseg.render.exports.result_videos import ResultVideoFiles
from moseg.render.exports.track_files import TrackFiles
from moseg.sam2.light.backend import LightMasks, LightParams
from moseg.sam2.video.backend import Sam2Masks, Sam2Params

Backends = tuple[Backend[Any], ...]

BACKENDS: Mapping[type[Params], type[Backend[Any]]] = {
    GeometryParams: Geometry,
    DepthAnythingParams: DepthAnythingDepths,
    GridParams: GridTracks,
    TapirParams: TapirTracks,
    HandmadeParams: HandmadeFeatures,
    Dinov2Params: Dinov2Features,
    StatisticsParams: StatisticsLabels,
    ClassifierParams: TrackClassifierLabels,
    LightParams: LightMasks,
    Sam2Params: Sam2Masks,
}
"""Settings -> the backend they are of."""

RESULTS = frozenset({"masks", "overlay", "preview"})
"""What `moseg run` is for."""


def all_backends(config: PipelineConfig) -> Backends:
    """Return the stages of `moseg run`."""
    backends = (
        SourceFrames(config.frames),
        *_computing_backends(config, {}),
        Overlay(config.overlay),
        Preview(config.preview),
    )
    return select(backends, set(RESULTS))


def extraction_backends(config: PipelineConfig, efficient: bool) -> Backends:
    """Return the stages that turn a video into an image folder."""
    limit = EFFICIENT.max_frames if efficient else config.frames.max_frames
    frames = config.frames.model_copy(update={"max_frames": limit, "max_side": None})
    return SourceFrames(frames), ExtractImages(NoParams())


def reference_backends(
    config: PipelineConfig,
    flags: set[str],
    efficient: bool,
    compact: bool,
    origins: Path,
    foreign: Mapping[str, Path] | None = None,
) -> Backends:
    """Return the stages of `run_inference.py`: those in `flags` and all they stand on.

    Args:
        flags: of `depths`, `tracks`, `dinos`, `labels`, `masks`.
        efficient: shrunk copies of the images are written as well.
        compact: depth, tracks and features are not written in the reference's files.
        origins: where the records of extracted videos lie.
        foreign: of `depths`, `tracks`, `dinos` those that another program made, and in which
            folder of the reference layout.
    """
    exports = _exports(config, compact)
    backends: list[Backend[Any]] = [SourceFrames(config.frames, origins)]
    written: set[str] = set()
    if efficient:
        backends.append(ResizedImages(NoParams()))
    for backend in _computing_backends(config, foreign or {}):
        made = exports.get(backend.stage, ()) if backend.stage in flags else ()
        backends += [backend, *made]
        written.update(export.stage for export in made)
    return select(tuple(backends), written | flags | {"resized", "frames"})


def select(backends: Backends, wanted: set[str]) -> Backends:
    """Return the backends of the wanted stages and of all stages they stand on."""
    chosen = set(wanted)
    for backend in reversed(backends):
        if backend.stage in chosen:
            chosen.update(backend.needs)
    return tuple(backend for backend in backends if backend.stage in chosen)


def _exports(config: PipelineConfig, compact: bool) -> dict[str, Backends]:
    """Return stage -> what writes its artefact for people and in the reference's files."""
    exports: dict[str, Backends] = {
        "labels": (DynamicTracks(NoParams()),),
        "masks": (ResultVideoFiles(NoParams()), Preview(config.preview)),
    }
    if compact:
        return exports
    exports |= {"depths": (DepthImages(NoParams()),), "tracks": (TrackFiles(NoParams()),)}
    if not isinstance(config.dinos, Dinov2Params) or config.dinos.maps == "full":
        exports["dinos"] = (FeatureFiles(NoParams()),)
    return exports


def _computing_backends(config: PipelineConfig, foreign: Mapping[str, Path]) -> Backends:
    queries = _with_window(config)
    return (
        DisFlow(config.flow),
        ReferenceQueries(queries, foreign["tracks"])
        if "tracks" in foreign
        else GridQueries(queries),
        ReferenceDepths(foreign["depths"]) if "depths" in foreign else _made(config.depths),
        ReferenceTracks(foreign["tracks"]) if "tracks" in foreign else _made(config.tracks),
        ReferenceFeatures(foreign["dinos"]) if "dinos" in foreign else _made(config.dinos),
        _made(config.labels),
        _made(config.masks),
    )


def _made(params: Params) -> Backend[Any]:
    return BACKENDS[type(params)](params)


def _with_window(config: PipelineConfig) -> WindowedParams:
    """Return the settings of the queries with the window that the tracker's memory allows."""
    queries, tracks = config.queries, config.tracks
    window = queries.window or LONGEST_WINDOW
    if queries.window is None and isinstance(tracks, TapirParams):
        window = min(LONGEST_WINDOW, window_length(tracks, queries.memory_gb))
    return WindowedParams(step=queries.step, limit=queries.limit, window=window)
