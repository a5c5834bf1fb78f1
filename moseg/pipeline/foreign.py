"""Which depth, tracks and features of a scene another program made, so that they are read."""

from __future__ import annotations

from collections.abc import Iterable

from moseg.core.errors import CacheError
from moseg.core.manifest import read_manifest
from moseg.core.scene import Scene
from moseg.motion.classifier import ClassifierParams
from moseg.pipeline.config import PipelineConfig
from moseg.pipeline.request import Request

EXPORTS = {"depths": "depth_images", "tracks": "track_files", "dinos": "feature_files"}
"""Stage -> the stage of ours that writes its folder of the reference layout."""

READER = "reference_files"
"""Name of the backends that read these folders."""


def group_by_foreign(
    request: Request, config: PipelineConfig, scenes: Iterable[Scene]
) -> dict[tuple[str, ...], list[Scene]]:
    """Return which stages another program made -> the scenes of which that is so.

    Only the track classifier reads them; stages that are asked for are computed. In a store
    there are none: what lies on this disk are copies.
    """
    groups: dict[tuple[str, ...], list[Scene]] = {}
    for scene in scenes:
        stages = tuple(stage for stage in EXPORTS if _is_foreign(request, config, scene, stage))
        groups.setdefault(stages, []).append(scene)
    return groups or {(): []}


def _is_foreign(request: Request, config: PipelineConfig, scene: Scene, stage: str) -> bool:
    if not isinstance(config.labels, ClassifierParams) or stage in request.flags:
        return False
    if scene.mirror is not None:
        return False
    folder = request.stage_folder(stage) / scene.name
    cached = request.hidden / scene.name
    if not folder.is_dir() or (cached / f"{EXPORTS[stage]}.manifest.json").exists():
        return False
    try:
        manifest = read_manifest(cached / f"{stage}.manifest.json")
    except CacheError:
        return True
    return manifest is None or manifest.identity.backend == READER
