"""Converting official files: to `save_pretrained` folders, or to `.safetensors` files."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from safetensors import SafetensorError

from moseg.checkpoints.families import kind_of
from moseg.checkpoints.weights import Weights
from moseg.core.errors import BackendError, ConfigError, OutputError, writing_to
from moseg.core.files import published

if TYPE_CHECKING:
    from torch import nn

_NUMBER = re.compile(r"os error (\d+)")


def convert(weights: Weights, out: Path) -> Path:
    """Write an official file's weights in moseg's form of its family; return `out`.

    Depth Anything, DINOv2, SAM 2 and EdgeTAM become a folder as `save_pretrained` writes it;
    TAPIR and the track classifier a `.safetensors` file under the official keys, with what the
    tensors do not tell as metadata.

    Args:
        out: does not exist yet; it appears whole or not at all.

    Raises:
        BackendError: the weights are not official ones, or do not fit their network.
        ConfigError: `out` is named wrongly, or something has to be told.
        OutputError: `out` is there already or cannot be written.
    """
    kind = kind_of(weights)
    if weights.form != "official":
        raise BackendError(f"{weights.path} is converted already; use it as it is")
    if (out.suffix == ".safetensors") != (kind.converted == "safetensors"):
        wanted = "a file NAME.safetensors" if kind.converted == "safetensors" else "a folder"
        raise ConfigError(f"{out}: {kind.family} is converted to {wanted}; name --out so")
    if out.exists():
        raise OutputError(f"{out} is already there; delete it or choose another place")
    metadata = kind.metadata(weights)
    network = kind.build(weights)
    with writing_to(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    if kind.converted == "folder":
        _write_folder(network, out)
    else:
        _write_file(weights, metadata, out)
    return out


def _write_folder(network: nn.Module, out: Path) -> None:
    from moseg.models.foundation.folders import save_folder

    with writing_to(out), _system_errors():
        desk = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            save_folder(cast(Any, network), desk)
            desk.chmod(0o755)
            desk.rename(out)
        finally:
            shutil.rmtree(desk, ignore_errors=True)


def _write_file(weights: Weights, metadata: Mapping[str, str], out: Path) -> None:
    from safetensors.torch import save_file

    tensors = {key: value.contiguous().clone() for key, value in weights.tensors.items()}
    with published(out) as partial, _system_errors():
        save_file(tensors, partial, metadata={"format": "pt", **metadata})


@contextmanager
def _system_errors() -> Iterator[None]:
    """Let refusals of the system through safetensors as what they are, such as a full disk."""
    try:
        yield
    except SafetensorError as error:
        number = _NUMBER.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
