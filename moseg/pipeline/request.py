"""The flags of `run_inference.py` as one value: checked, and turned into settings and places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from moseg.core.errors import ConfigError
from moseg.core.remote.mirror import Mirror
from moseg.core.selection import EFFICIENT
from moseg.core.shard import WHOLE, Shard, parse_shard
from moseg.pipeline.config import PipelineConfig, load_config
from moseg.pipeline.place import Place

HIDDEN = ".moseg"
"""Folder of working artefacts and manifests inside the folders of the reference layout."""


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
    gpus: tuple[int, ...] | list[int] | None = None
    clean: bool = False
    compact: bool = False
    attention: str | None = None
    ray: str | None = None
    shard: str | None = None
    mirror: Mirror | None = None

    def shown(self, path: Path) -> str:
        """What a person calls a path: the URL that it stands for, or itself."""
        url = self.mirror.url(path) if self.mirror else None
        return url or str(path)

    @property
    def part(self) -> Shard:
        """Which part of the scenes this call is for."""
        return WHOLE if self.shard is None else parse_shard(self.shard)

    @property
    def place(self) -> Place:
        """Where to compute: without Ray a worker process for each GPU."""
        gpus = None if self.gpus is None else tuple(self.gpus)
        workers = None if self.ray is not None else len(gpus or (0,))
        return Place(self.ray, workers, gpus)

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
    def hidden(self) -> Path:
        """Where working artefacts and manifests of the preprocessing stages lie."""
        return self.root / HIDDEN

    @property
    def origins(self) -> Path:
        """Where the records of extracted videos lie."""
        return self.hidden / "origins"

    def stage_folder(self, stage: str) -> Path:
        """Return the folder of `depths`, `tracks` or `dinos` in the reference layout."""
        names = {"depths": "depth_anything_v2", "tracks": self.track_model, "dinos": "dinos"}
        return self.root / names[stage]

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
            **{stage: self.stage_folder(stage) for stage in ("depths", "tracks", "dinos")},
            "labels": self.motion_seg_dir,
            "masks": self.sam2_dir,
        }
        asked = {stage: folder for stage, folder in folders.items() if stage in self.flags}
        return [
            f"{stage}: {self.shown(made)}"
            for stage, made in asked.items()
            if made and made.exists()
        ]

    def check(self) -> None:
        """Refuse flags that do not go together.

        Raises:
            ConfigError: with what to change.
        """
        if (self.video_path is None) == (self.data_dir is None):
            raise ConfigError("give either --video_path or --data_dir")
        if self.video_path is not None and self.shown(self.video_path) != str(self.video_path):
            raise ConfigError(
                "--video_path takes a file of this machine; give a store's folder of image "
                "folders as --data_dir, or the video to moseg run"
            )
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
        if self.part != WHOLE and self.video_path is not None:
            raise ConfigError("--shard is a part of many scenes; it goes with --data_dir")
        gpus = self.gpus or []
        if len(set(gpus)) != len(gpus) or min(gpus, default=0) < 0:
            raise ConfigError("--gpus takes different numbers from 0, such as --gpus 0 1")

    def config(self) -> PipelineConfig:
        """Return the settings: the configuration file with the flags on top."""
        settings = [f"frames.max_side={EFFICIENT.max_side}"] if self.efficient else []
        if self.attention is not None:
            settings.append(f"labels.attention={self.attention}")
        config = load_config(None, self.config_file, settings)
        return config if self.step is None else config.with_step(self.step)
