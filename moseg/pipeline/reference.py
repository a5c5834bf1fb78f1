"""What `run_inference.py` does: stages by flag, results in the reference's folder layout.

Root is the parent of the image folder. Working artefacts and manifests live in
`<root>/.moseg` (labels and masks: `.moseg` in their own output folders); everything else
lies where the track-based reference system keeps it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moseg.core.device import Device, choose_device
from moseg.core.errors import BackendError, InputError
from moseg.core.layout import Layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Listener, Listeners
from moseg.core.runner import Plan, Runner, SceneResult
from moseg.core.scene import Problem, Scene, find_scenes
from moseg.pipeline.clean import remove_working_files
from moseg.pipeline.config import PipelineConfig
from moseg.pipeline.foreign import group_by_foreign
from moseg.pipeline.recording import recording
from moseg.pipeline.report import RunReport
from moseg.pipeline.request import HIDDEN, Request
from moseg.pipeline.session import check_backends, prepare_folder
from moseg.pipeline.stages import extraction_backends, reference_backends

_NEEDS = {
    "depths": "run with --depths first",
    "tracks": "run with --tracks first",
    "dinos": "run with --dinos first",
    "labels": "run with --motion_seg_infer and the same --motin_seg_dir first",
}


def run_request(request: Request, listener: Listener) -> RunReport:
    """Run what the flags ask for; write `<root>/.moseg/run.json` and return the report.

    Raises:
        ConfigError, InputError, OutputError: nothing was run. Failing scenes are in the report.
    """
    begin = time.perf_counter()
    request.check()
    request.place.check()
    config = request.config()
    found = _find(request)
    for folder in (request.hidden, request.motion_seg_dir, request.sam2_dir):
        if folder is not None:
            prepare_folder(folder, request.mirror)
    with recording(request.hidden, request.part, request.mirror) as record:
        listener = Listeners(record.log, listener)
        if request.video_path is not None:
            found = _extract(request, found.scenes[0], config, listener)
        mine, problems = request.part.take(found.scenes), request.part.take(found.problems)
        record.log.problems(problems)
        with request.place.open() as runner:
            results = _run(request, config, runner, mine, listener)
        report = RunReport(
            results=(*found.failed, *results),
            problems=tuple(problems),
            seconds=time.perf_counter() - begin,
            config=config.model_dump(mode="json"),
            runner=runner.name,
            run=record.log.run,
        )
        record.save(report)
    return report


def _run(
    request: Request,
    config: PipelineConfig,
    runner: Runner,
    scenes: Sequence[Scene],
    listener: Listener,
) -> list[SceneResult]:
    """Run scenes; with `--clean`, delete what they no longer need."""
    groups = group_by_foreign(request, config, scenes)
    plans = [_plan(request, config, runner, foreign) for foreign in groups]
    for plan in plans:
        check_backends(plan)
    results: list[SceneResult] = []
    for plan, (foreign, group) in zip(plans, groups.items(), strict=True):
        for stage in sorted({backend.stage for backend in plan.backends} & set(foreign)):
            folder = request.stage_folder(stage)
            listener.note(f"{stage}: read from {folder}, made by another program")
        done = runner.run(plan, group, listener)
        if request.clean:
            for line in remove_working_files(plan, done):
                listener.note(line)
        results += done
    return results


def _plan(
    request: Request, config: PipelineConfig, runner: Runner, foreign: tuple[str, ...]
) -> Plan:
    """Return the plan for scenes of which the stages in `foreign` were made by another program."""
    flags = request.flags
    folders = {stage: request.stage_folder(stage) for stage in foreign}
    backends = reference_backends(
        config, flags, request.efficient, request.compact, request.origins, folders
    )
    made_here = {backend.stage for backend in backends} - flags - set(foreign)
    required = {stage: hint for stage, hint in _NEEDS.items() if stage in made_here}
    return Plan(
        backends,
        _layout(request),
        required=required,
        wanted=frozenset(flags) if request.compact else frozenset(),
        seed=config.seed,
        devices=_devices(request, config, runner, any(backend.uses_gpu for backend in backends)),
    )


def _devices(
    request: Request, config: PipelineConfig, runner: Runner, gpu: bool
) -> tuple[Device, ...]:
    """Return the devices of `--gpus`, or that of the settings; no stage uses one: the CPU."""
    if not gpu:
        return (choose_device("cpu", config.precision),)
    try:
        return runner.devices(config.device, config.precision)
    except BackendError as error:
        if request.gpus is None:
            raise
        raise BackendError(f"{error}; without --gpus the CPU is used where no GPU is") from error


def _layout(request: Request) -> Layout:
    root = request.root
    public = {
        "resized": (f"{root}/resize_images/", ""),
        "depth_images": (f"{request.stage_folder('depths')}/", ""),
        "track_files": (f"{request.stage_folder('tracks')}/", ""),
        "feature_files": (f"{request.stage_folder('dinos')}/", ""),
    }
    homes: dict[str, Path] = {}
    if request.motion_seg_dir is not None:
        public["dynamic_tracks"] = (f"{request.motion_seg_dir.absolute()}/", "")
        for stage in ("labels", "dynamic_tracks"):
            homes[stage] = request.motion_seg_dir.absolute() / HIDDEN
    if request.sam2_dir is not None:
        sam2 = request.sam2_dir.absolute()
        public["masks"] = (f"{sam2}/initial_preds/", "")
        public["result_videos"] = (f"{sam2}/final_res/", "/video")
        public["preview"] = (f"{sam2}/final_res/", "/preview.png")
        for stage in ("masks", "result_videos", "preview"):
            homes[stage] = sam2 / HIDDEN
    return Layout(request.hidden, public, homes, request.mirror)


@dataclass(frozen=True)
class _Found:
    """The scenes to work on, inputs that are none, and a video that cannot be extracted."""

    scenes: tuple[Scene, ...] = ()
    problems: tuple[Problem, ...] = ()
    failed: tuple[SceneResult, ...] = ()


def _find(request: Request) -> _Found:
    """Return the image folders to work on, or the video to extract them from.

    Raises:
        InputError: there is nothing to work on.
    """
    if request.video_path is not None:
        scenes, problems = find_scenes([request.video_path])
        if problems:
            raise problems[0].error
        if scenes[0].kind != "video":
            raise InputError(f"{request.video_path} is a folder; --video_path takes one video file")
        return _Found((scenes[0],))
    folder = request.image_folder
    shown = request.shown(folder)
    if shown == str(folder) and not folder.is_dir():
        raise InputError(f"{folder} is no folder; --data_dir takes a folder of scenes")
    scenes, problems = find_scenes([folder], request.mirror)
    if any(scene.source == folder for scene in scenes):
        raise InputError(
            f"{shown} holds images itself; --data_dir is a folder of scenes, give its parent"
        )
    if any(problem.source == folder for problem in problems):
        raise problems[0].error
    scenes = [scene for scene in scenes if scene.kind == "images"]
    if not scenes and not problems:
        raise InputError(f"{shown} holds no scene; each scene is a folder of images")
    return _Found(tuple(scenes), tuple(problems))


def _extract(request: Request, video: Scene, config: PipelineConfig, listener: Listener) -> _Found:
    """Turn a video into an image folder, unless a person made one of its name."""
    folder = request.image_folder / video.name
    layout = Layout(request.origins, {"images": (f"{request.image_folder}/", "")})
    manifest = layout.slot(video.name, "images").manifest
    if not folder.exists() or manifest.exists():
        plan = Plan(extraction_backends(config, request.efficient), layout, seed=config.seed)
        result = LocalRunner().run(plan, [video], listener)[0]
        if result.failure:
            return _Found(failed=(result,))
    return _Found((Scene(video.name, folder, "images"),))
