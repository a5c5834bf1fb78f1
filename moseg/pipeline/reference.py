"""What `run_inference.py` does: stages by flag, results in the reference's folder layout.

Root is the parent of the image folder. Working artefacts and manifests live in
`<root>/.moseg` (labels and masks: `.moseg` in their own output folders); everything else
lies where the track-based reference system keeps it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from moseg.core.device import Device, choose_device
from moseg.core.errors import ConfigError, InputError
from moseg.core.layout import Layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Listener
from moseg.core.runner import Plan, SceneResult
from moseg.core.scene import Problem, Scene, find_scenes
from moseg.core.selection import EFFICIENT
from moseg.pipeline.clean import remove_working_files
from moseg.pipeline.config import PipelineConfig, load_config
from moseg.pipeline.report import RunReport
from moseg.pipeline.session import prepare_folder
from moseg.pipeline.stages import extraction_backends, reference_backends

HIDDEN = ".moseg"
_NEEDS = {
    "depths": "run with --depths first",
    "tracks": "run with --tracks first",
    "dinos": "run with --dinos first",
    "labels": "run with --motion_seg_infer and the same --motin_seg_dir first",
}


@dataclass(frozen=True)
class Request:
    """The flags of `run_inference.py`; see its `--help`."""

    video_path: Path | None = None
    data_dir: Path | None = None
    depths: bool = False
    tracks: bool = False
    dinos: bool = False
    motion_seg_infer: bool = False
    sam2: bool = False
    dynamic_mask: bool = False
    motion_seg_dir: Path | None = None
    sam2_dir: Path | None = None
    config_file: Path | None = None
    efficient: bool = False
    step: int | None = None
    track_model: str = "bootstapir"
    gpus: tuple[int, ...] | list[int] = (0,)
    clean: bool = False
    compact: bool = False

    @property
    def image_folder(self) -> Path:
        """The folder of scenes."""
        if self.video_path is not None:
            return self.video_path.absolute().parent / "images"
        assert self.data_dir is not None
        return self.data_dir.absolute()

    @property
    def root(self) -> Path:
        """Where the folders of the preprocessing stages lie."""
        return self.image_folder.parent

    @property
    def flags(self) -> set[str]:
        """The stages that are asked for."""
        asked = {"depths": self.depths, "tracks": self.tracks, "dinos": self.dinos}
        asked |= {"labels": self.motion_seg_infer, "masks": self.sam2}
        return {stage for stage, wanted in asked.items() if wanted}

    @property
    def places(self) -> list[str]:
        """Lines that say where results lie."""
        folders = {
            "depths": self.root / "depth_anything_v2",
            "tracks": self.root / self.track_model,
            "dinos": self.root / "dinos",
            "labels": self.motion_seg_dir,
            "masks": self.sam2_dir,
        }
        return [f"{stage}: {folders[stage]}" for stage in folders if stage in self.flags]

    def check(self) -> None:
        """Refuse flags that do not go together.

        Raises:
            ConfigError: with what to change.
        """
        if (self.video_path is None) == (self.data_dir is None):
            raise ConfigError("give either --video_path or --data_dir")
        if self.dynamic_mask:
            raise ConfigError(
                "--dynamic_mask needs the Dynamic Replica layout, which this version does not "
                "read; leave the flag out"
            )
        if self.track_model == "cotracker":
            raise ConfigError("this version has no cotracker backend; leave --track_model out")
        if not self.flags and not self.clean and self.video_path is None:
            raise ConfigError(
                "no stage is asked for; add --depths, --tracks, --dinos, --motion_seg_infer "
                "or --sam2"
            )
        if self.motion_seg_dir is None and self.flags & {"labels", "masks"}:
            raise ConfigError("--motion_seg_infer and --sam2 need --motin_seg_dir FOLDER")
        if self.sam2_dir is None and self.sam2:
            raise ConfigError("--sam2 needs --sam2dir FOLDER for the masks")
        if self.step is not None and self.step < 1:
            raise ConfigError(f"--step is {self.step}; it must be at least 1")
        if len(set(self.gpus)) != len(self.gpus) or min(self.gpus) < 0:
            raise ConfigError("--gpus takes different numbers from 0, such as --gpus 0 1")

    def config(self) -> PipelineConfig:
        """Return the settings: the configuration file with the flags on top."""
        settings = []
        if self.step is not None:
            settings = [f"tracks.step={self.step}", f"dinos.step={self.step}"]
        if self.efficient:
            settings += [f"frames.max_side={EFFICIENT.max_side}"]
        return load_config(None, self.config_file, settings)


def run_request(request: Request, listener: Listener) -> RunReport:
    """Run what the flags ask for; write `<root>/.moseg/run.json` and return the report.

    Raises:
        ConfigError, InputError, OutputError: nothing was run. Failing scenes are in the report.
    """
    begin = time.perf_counter()
    request.check()
    config = request.config()
    found = _scenes(request, config, listener)
    folders = (request.root / HIDDEN, request.motion_seg_dir, request.sam2_dir)
    for folder in folders:
        if folder is not None:
            prepare_folder(folder)
    plan = _plan(request, config)
    results = LocalRunner(len(request.gpus)).run(plan, found.scenes, listener)
    if request.clean:
        for line in remove_working_files(plan, results):
            listener.note(line)
    report = RunReport(
        results=(*found.failed, *results),
        problems=found.problems,
        seconds=time.perf_counter() - begin,
        config=config.model_dump(mode="json"),
    )
    report.save(request.root / HIDDEN / "run.json")
    return report


def _plan(request: Request, config: PipelineConfig) -> Plan:
    flags = request.flags
    backends = reference_backends(
        config, flags, request.efficient, request.compact, _origins(request)
    )
    stages = {backend.stage for backend in backends}
    required = {s: hint for s, hint in _NEEDS.items() if s in stages and s not in flags}
    return Plan(
        backends,
        _layout(request),
        required=required,
        wanted=frozenset(flags) if request.compact else frozenset(),
        seed=config.seed,
        devices=_devices(request, config, any(backend.uses_gpu for backend in backends)),
    )


def _devices(request: Request, config: PipelineConfig, gpu: bool) -> tuple[Device, ...]:
    """Return the devices of `--gpus`; the CPU where no stage would use them."""
    names = [f"cuda:{number}" for number in request.gpus] if gpu else ["cpu"]
    return tuple(choose_device(name, config.precision) for name in names)


def _layout(request: Request) -> Layout:
    root = request.root
    public = {
        "resized": (f"{root}/resize_images/", ""),
        "depth_images": (f"{root}/depth_anything_v2/", ""),
        "track_files": (f"{root}/{request.track_model}/", ""),
        "feature_files": (f"{root}/dinos/", ""),
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
        for stage in ("masks", "result_videos"):
            homes[stage] = sam2 / HIDDEN
    return Layout(root / HIDDEN, public, homes)


def _origins(request: Request) -> Path:
    """Return where the records of extracted videos lie."""
    return request.root / HIDDEN / "origins"


@dataclass(frozen=True)
class _Found:
    """The scenes to work on, inputs that are none, and a video that cannot be extracted."""

    scenes: tuple[Scene, ...] = ()
    problems: tuple[Problem, ...] = ()
    failed: tuple[SceneResult, ...] = ()


def _scenes(request: Request, config: PipelineConfig, listener: Listener) -> _Found:
    """Return the image folders to work on; those of a video are extracted first.

    Raises:
        InputError: there is nothing to work on.
    """
    if request.video_path is not None:
        return _extract(request, request.video_path, config, listener)
    folder = request.image_folder
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; --data_dir takes a folder of scenes")
    scenes, problems = find_scenes([folder])
    if any(scene.source == folder for scene in scenes):
        raise InputError(
            f"{folder} holds images itself; --data_dir is a folder of scenes, give its parent"
        )
    if any(problem.source == folder for problem in problems):
        raise problems[0].error
    scenes = [scene for scene in scenes if scene.kind == "images"]
    if not scenes and not problems:
        raise InputError(f"{folder} holds no scene; each scene is a folder of images")
    return _Found(tuple(scenes), tuple(problems))


def _extract(request: Request, video: Path, config: PipelineConfig, listener: Listener) -> _Found:
    scenes, problems = find_scenes([video])
    if problems:
        raise problems[0].error
    if scenes[0].kind != "video":
        raise InputError(f"{video} is a folder; --video_path takes one video file")
    scene = scenes[0]
    folder = request.image_folder / scene.name
    layout = Layout(_origins(request), {"images": (f"{request.image_folder}/", "")})
    manifest = layout.slot(scene.name, "images").manifest
    if not folder.exists() or manifest.exists():
        prepare_folder(request.root / HIDDEN)
        plan = Plan(extraction_backends(config, request.efficient), layout, seed=config.seed)
        result = LocalRunner().run(plan, [scene], listener)[0]
        if result.failure:
            return _Found(failed=(result,))
    return _Found((Scene(scene.name, folder, "images"),))
