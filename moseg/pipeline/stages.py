"""Which backends a configuration stands for, in an order in which they can run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moseg.core.selection import EFFICIENT
from moseg.core.stage import Backend, NoParams
from moseg.motion.backend import StatisticsLabels
from moseg.pipeline.config import PipelineConfig
from moseg.preproc.depths.backend import Geometry
from moseg.preproc.dinos.backend import HandmadeFeatures
from moseg.preproc.flow.backend import DisFlow
from moseg.preproc.frames.source import SourceFrames
from moseg.preproc.tracks.backend import GridTracks
from moseg.render.backends import Overlay, Preview
from moseg.render.exports.depth_images import DepthImages
from moseg.render.exports.dynamic_tracks import DynamicTracks
from moseg.render.exports.feature_files import FeatureFiles
from moseg.render.exports.images import ExtractImages, ResizedImages
from moseg.render.exports.result_videos import ResultVideoFiles
from moseg.render.exports.track_files import TrackFiles
from moseg.sam2.light.backend import LightMasks

Backends = tuple[Backend[Any], ...]


def all_backends(config: PipelineConfig) -> Backends:
    """Return the stages of `moseg run`."""
    return (
        SourceFrames(config.frames),
        *_computing_backends(config),
        Overlay(config.overlay),
        Preview(config.preview),
    )


def extraction_backends(config: PipelineConfig, efficient: bool) -> Backends:
    """Return the stages that turn a video into an image folder."""
    limit = EFFICIENT.max_frames if efficient else config.frames.max_frames
    frames = config.frames.model_copy(update={"max_frames": limit, "max_side": None})
    return SourceFrames(frames), ExtractImages(NoParams())


def reference_backends(
    config: PipelineConfig, flags: set[str], efficient: bool, compact: bool, origins: Path
) -> Backends:
    """Return the stages of `run_inference.py`: those in `flags` and all they stand on.

    Args:
        flags: of `depths`, `tracks`, `dinos`, `labels`, `masks`.
        efficient: shrunk copies of the images are written as well.
        compact: depth, tracks and features are not written in the reference's files.
        origins: where the records of extracted videos lie.
    """
    exports: dict[str, Backend[Any]] = {
        "depths": DepthImages(NoParams()),
        "tracks": TrackFiles(NoParams()),
        "dinos": FeatureFiles(NoParams()),
        "labels": DynamicTracks(NoParams()),
        "masks": ResultVideoFiles(NoParams()),
    }
    if compact:
        exports = {stage: exports[stage] for stage in ("labels", "masks")}
    backends: list[Backend[Any]] = [SourceFrames(config.frames, origins)]
    if efficient:
        backends.append(ResizedImages(NoParams()))
    for backend in _computing_backends(config):
        backends.append(backend)
        if backend.stage in flags & exports.keys():
            backends.append(exports[backend.stage])
    written = {exports[flag].stage for flag in flags & exports.keys()}
    return select(tuple(backends), written | flags | {"resized", "frames"})


def select(backends: Backends, wanted: set[str]) -> Backends:
    """Return the backends of the wanted stages and of all stages they stand on."""
    chosen = set(wanted)
    for backend in reversed(backends):
        if backend.stage in chosen:
            chosen.update(backend.needs)
    return tuple(backend for backend in backends if backend.stage in chosen)


def _computing_backends(config: PipelineConfig) -> Backends:
    return (
        DisFlow(config.flow),
        Geometry(NoParams()),
        GridTracks(config.tracks),
        HandmadeFeatures(config.dinos),
        StatisticsLabels(config.labels),
        LightMasks(config.masks),
    )
