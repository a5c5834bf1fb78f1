"""The manifest: every checkpoint moseg knows, where it comes from, and under which licence."""

from __future__ import annotations

import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from moseg.core.config import read_yaml, validate
from moseg.core.errors import ConfigError

Family = Literal["depth_anything", "dinov2", "tapir", "track_classifier", "sam2", "edgetam"]
Address = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_SHARED = Path("share/moseg/checkpoints/manifest.yaml")
"""Where a wheel puts the manifest, below the installation's data folder (`pyproject.toml`)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Licence(_Strict):
    """What a checkpoint may be used for.

    Attributes:
        name: in a word; `unstated` where the authors say nothing.
        non_commercial: commercial use is forbidden, or not known to be allowed.
        url: where it can be read.
    """

    name: str = Field(min_length=1)
    non_commercial: bool
    url: Address

    @property
    def line(self) -> str:
        """It in a few words, with its address."""
        meaning = ", not for commercial use" if self.non_commercial else ""
        return f"licence {self.name}{meaning} ({self.url})"


class Entry(_Strict):
    """One checkpoint.

    Attributes:
        name: what commands and settings call it.
        family: the network it belongs to.
        purpose: the stage that uses it, and what for; `for` in the file.
        file: name of the official file.
        megabytes: its size, about.
        licence: see `Licence`.
        url: address of the official file; None where there is only a page.
        page: what a person reads to know it, and to fetch it by hand.
        hub: name of the same weights on the model hub as a `save_pretrained` folder. A fact for
            people: moseg never asks the hub.
        sha256: digest of the official file where its authors publish one.
        settings: what the network needs to know and the tensors do not tell.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    family: Family
    purpose: str = Field(min_length=1, alias="for")
    file: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*\.pth?$")
    megabytes: float = Field(gt=0)
    licence: Licence
    url: Address | None
    page: Address
    hub: str | None
    sha256: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    settings: dict[str, str] = {}

    @property
    def download_command(self) -> str:
        """The command line that brings it here, after a person fetched it where that must be."""
        accept = " --accept-licence" if self.licence.non_commercial else ""
        given = " --from FILE" if self.url is None else ""
        return f"moseg checkpoints download {self.name}{accept}{given}"

    @property
    def advice(self) -> str:
        """What a person who lacks it has to do, in a few words that end with the command."""
        by_hand = f"fetch {self.file} by hand from {self.page}, then " if self.url is None else ""
        return f"{by_hand}run: {self.download_command}"


class Manifest(_Strict):
    """All checkpoints; no name and no file name is there twice."""

    checkpoints: tuple[Entry, ...]

    @model_validator(mode="after")
    def _are_distinct(self) -> Manifest:
        for values in ([e.name for e in self.checkpoints], [e.file for e in self.checkpoints]):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"is there more than once: {', '.join(twice)}")
        return self

    def find(self, name: str) -> Entry | None:
        """Return the entry of this name, or None."""
        return next((entry for entry in self.checkpoints if entry.name == name), None)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file.

    Raises:
        ConfigError: there is none, or it is not as `Manifest` says.
    """
    return validate(Manifest, read_yaml(path), str(path))


@lru_cache(maxsize=1)
def known_checkpoints() -> Manifest:
    """Return the manifest that belongs to this moseg.

    Raises:
        ConfigError: it is not where the installation put it.
    """
    return read_manifest(manifest_path())


def manifest_path() -> Path:
    """Return where the manifest lies: in the checkout, or where the wheel put it.

    Raises:
        ConfigError: in none of these places.
    """
    checkout = checkout_folder()
    if checkout is not None:
        return checkout / "manifest.yaml"
    places = [_PACKAGE_ROOT, *(Path(sysconfig.get_path("data", s)) for s in _schemes())]
    for place in places:
        if (place / _SHARED).is_file():
            return place / _SHARED
    raise ConfigError(f"{_SHARED} of moseg is missing from {places[1]}; install moseg again")


def checkout_folder() -> Path | None:
    """Return `checkpoints/` of the source tree that this package lies in; None if installed."""
    folder = _PACKAGE_ROOT / "checkpoints"
    in_tree = (_PACKAGE_ROOT / "pyproject.toml").is_file() and (folder / "manifest.yaml").is_file()
    return folder if in_tree else None


def _schemes() -> tuple[str, str]:
    return sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")
