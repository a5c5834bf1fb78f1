"""All settings of a run, presets, and how the two and a user's file come together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from moseg.core.config import apply_settings, merge, name_backends, read_yaml, validate
from moseg.core.device import Precision, check_device_name
from moseg.core.errors import ConfigError
from moseg.core.stage import Params
from moseg.motion.backend import StatisticsParams
from moseg.motion.classifier import ClassifierParams
from moseg.pipeline.presets import PRESETS
from moseg.pipeline.reference_config import is_reference_config, translate
from moseg.preproc.depths.backend import GeometryParams
from moseg.preproc.depths.depth_anything import DepthAnythingParams
from moseg.preproc.dinos.backend import HandmadeParams
from moseg.preproc.dinos.dinov2 import Dinov2Params
from moseg.preproc.flow.backend import FlowParams
from moseg.preproc.frames.source import FramesParams
from moseg.preproc.queries.backend import GridQueryParams
from moseg.preproc.tracks.backend import GridParams
from moseg.preproc.tracks.tapir import TapirParams
from moseg.render.backends import OverlayParams, PreviewParams
from moseg.sam2.light.backend import LightParams
from moseg.sam2.video.backend import Sam2Params


class PipelineConfig(Params):
    """Settings of a run."""

    preset: Literal["builtin", "seganymo", "fast"] = Field(
        "builtin", description="named settings that all others are laid over"
    )
    seed: int = Field(0, ge=0, description="seed of everything random")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N; for backends that use it")
    precision: Precision = Field("auto", description="number format on the device")
    frames: FramesParams = FramesParams()
    flow: FlowParams = FlowParams()
    queries: GridQueryParams = GridQueryParams()
    depths: GeometryParams | DepthAnythingParams = Field(
        GeometryParams(), discriminator="backend", description="disparity of every frame"
    )
    tracks: GridParams | TapirParams = Field(
        GridParams(), discriminator="backend", description="point tracks"
    )
    dinos: HandmadeParams | Dinov2Params = Field(
        HandmadeParams(), discriminator="backend", description="appearance features"
    )
    labels: StatisticsParams | ClassifierParams = Field(
        StatisticsParams(), discriminator="backend", description="which tracks move"
    )
    masks: LightParams | Sam2Params = Field(
        LightParams(), discriminator="backend", description="object masks from moving tracks"
    )
    overlay: OverlayParams = OverlayParams()
    preview: PreviewParams = PreviewParams()

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        try:
            return check_device_name(device)
        except ConfigError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _backends_fit(self) -> Self:
        """Labels read what certain backends leave; see `Backend.needs`."""
        wanted = {"tracks": "grid", "dinos": "handmade", "depths": "geometry"}
        if isinstance(self.labels, ClassifierParams):
            wanted = {"tracks": "tapir"}
            if self.labels.uses_features:
                wanted["dinos"] = "dinov2"
            if self.labels.depth == "maps":
                wanted["depths"] = "depth_anything_v2"
        for stage, backend in wanted.items():
            found = getattr(self, stage).backend
            if found != backend:
                raise ValueError(
                    f"{stage}.backend is {found}: labels.backend {self.labels.backend} "
                    f"needs {backend}"
                )
        return self

    @model_validator(mode="after")
    def _same_query_frames(self) -> Self:
        tracks, dinos = self.tracks, self.dinos
        if not (isinstance(tracks, GridParams) and isinstance(dinos, HandmadeParams)):
            return self
        if tracks.step != dinos.step:
            raise ValueError(
                f"tracks.step is {tracks.step} and dinos.step is {dinos.step}; they must be equal"
            )
        if tracks.step > 2 * tracks.span + 1:
            raise ValueError(
                f"tracks.step is {tracks.step}: with tracks.span {tracks.span} some "
                f"frames would have no track; use a step of at most {2 * tracks.span + 1}"
            )
        return self

    def with_step(self, step: int) -> PipelineConfig:
        """Return these settings with another distance between query frames.

        Raises:
            ConfigError: the distance does not fit the other settings.
        """
        names = ["queries"] if isinstance(self.tracks, TapirParams) else ["tracks", "dinos"]
        data = merge(self.model_dump(), {name: {"step": step} for name in names})
        return validate(PipelineConfig, data, "--step")


def load_config(
    preset: str | None = None, file: Path | None = None, settings: Sequence[str] = ()
) -> PipelineConfig:
    """Return the preset's settings with the file's on top, and single ones on top of those.

    Args:
        preset: name of a preset; None takes the file's, or `builtin`.
        file: YAML file, ours or the reference system's.
        settings: `section.key=value` texts.

    Raises:
        ConfigError: unknown preset or key, or a value out of range; one line.
    """
    data = read_yaml(file) if file else {}
    if is_reference_config(data):
        data = translate(data)
    data = apply_settings(data, settings)
    name = preset or data.get("preset", "builtin")
    if not isinstance(name, str) or name not in PRESETS:
        raise ConfigError(f"unknown preset '{name}': choose {' or '.join(sorted(PRESETS))}")
    data = merge(_fitting(PRESETS[name], data), data) | {"preset": name}
    data = name_backends(PipelineConfig, data)
    return validate(PipelineConfig, data, str(file) if file else "settings")


def _fitting(preset: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a preset without the sections for which `data` names another backend."""

    def fits(section: str, values: Any) -> bool:
        over = data.get(section)
        if not (isinstance(values, dict) and isinstance(over, Mapping)):
            return True
        return bool(over.get("backend", values.get("backend")) == values.get("backend"))

    return {section: values for section, values in preset.items() if fits(section, values)}
