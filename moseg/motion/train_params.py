"""Settings of the training of the track classifier: the network and its data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moseg.core.stage import Params
from moseg.models.track_classifier.options import Options
from moseg.motion.classifier_params import OptionParams
from moseg.motion.datasets.mixing import Share


class ClassifierNetworkParams(Params):
    """The track classifier of SegAnyMo, from first weights."""

    backend: Literal["track_classifier"] = Field(
        "track_classifier", description="the track classifier of SegAnyMo"
    )
    options: OptionParams = Field(
        OptionParams(),
        description="variant; what is null is as released, but depth is read right: by "
        "depth_lookup pixel and depth_read full",
    )

    @property
    def variant(self) -> Options:
        """The options with all their values."""
        rules = {"depth_lookup": "pixel", "depth_read": "full"}
        return Options(**{**rules, **self.options.model_dump(exclude_none=True)})


class SampleFilesParams(Params):
    """Samples that lie ready as files."""

    backend: Literal["files"] = Field("files", description="samples that lie ready as files")
    folder: str = Field(description="holds train/*.npz and validation/*.npz, a sample a file")


class DatasetsParams(Params):
    """Public data sets, preprocessed."""

    backend: Literal["datasets"] = Field("datasets", description="public data sets, preprocessed")
    train: tuple[Share, ...] = Field(min_length=1, description="mixture that is learnt from")
    validation: tuple[Share, ...] = Field(min_length=1, description="mixture that is held out")
    validation_samples: int = Field(64, ge=1, description="drawn from it, always the same")
