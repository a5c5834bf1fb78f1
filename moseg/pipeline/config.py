"""All settings of a run, presets, and how the two and a user's file come together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from moseg.core.config import apply_settings, merge, read_yaml, validate
from moseg.core.device import Precision, check_device_name
from moseg.core.errors import ConfigError
from moseg.core.stage import Params
from moseg.motion.backend import StatisticsParams
from moseg.preproc.dinos.backend import HandmadeParams
from moseg.preproc.flow.backend import FlowParams
from moseg.preproc.frames.source import FramesParams
from moseg.preproc.tracks.backend import GridParams
from moseg.render.backends import OverlayParams, PreviewParams
from moseg.sam2.light.backend import LightParams

PRESETS: dict[str, dict[str, Any]] = {"builtin": {}}
"""Preset -> the settings in which it differs from the defaults."""


class PipelineConfig(Params):
    """Settings of a run."""

    preset: Literal["builtin"] = Field(
        "builtin", description="named settings that all others are laid over"
    )
    seed: int = Field(0, ge=0, description="seed of everything random")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N; for backends that use it")
    precision: Precision = Field("auto", description="number format on the device")
    frames: FramesParams = FramesParams()
    flow: FlowParams = FlowParams()
    tracks: GridParams = GridParams()
    dinos: HandmadeParams = HandmadeParams()
    labels: StatisticsParams = StatisticsParams()
    masks: LightParams = LightParams()
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
    def _same_query_frames(self) -> Self:
        if self.tracks.step != self.dinos.step:
            raise ValueError(
                f"tracks.step is {self.tracks.step} and dinos.step is {self.dinos.step}; "
                "they must be equal"
            )
        if self.tracks.step > 2 * self.tracks.span + 1:
            raise ValueError(
                f"tracks.step is {self.tracks.step}: with tracks.span {self.tracks.span} some "
                f"frames would have no track; use a step of at most {2 * self.tracks.span + 1}"
            )
        return self


def load_config(
    preset: str | None = None, file: Path | None = None, settings: Sequence[str] = ()
) -> PipelineConfig:
    """Return the preset's settings with the file's on top, and single ones on top of those.

    Args:
        preset: name of a preset; None takes the file's, or `builtin`.
        file: YAML file.
        settings: `section.key=value` texts.

    Raises:
        ConfigError: unknown preset or key, or a value out of range; one line.
    """
    data = read_yaml(file) if file else {}
    data = apply_settings(data, settings)
    name = preset or data.get("preset", "builtin")
    if not isinstance(name, str) or name not in PRESETS:
        raise ConfigError(f"unknown preset '{name}': choose {' or '.join(sorted(PRESETS))}")
    data = merge(PRESETS[name], data) | {"preset": name}
    return validate(PipelineConfig, data, str(file) if file else "settings")
