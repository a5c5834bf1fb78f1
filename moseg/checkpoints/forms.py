"""The forms a checkpoint may have, told by content and without PyTorch.

Names say nothing: a browser may have renamed the file, and a page of an error may be called
`model.pt`.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Literal

from moseg.core.errors import BackendError

Form = Literal["official", "safetensors", "folder"]
"""`official`: what `torch.save` wrote; `safetensors`: one such file; `folder`: what
`save_pretrained` wrote."""

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
"""Names of the shards of a network too large for one file, in a `save_pretrained` folder."""

_ZIP = b"PK\x03\x04"
_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How a file begins that `torch.save` wrote before it took to zip archives."""
_LONGEST_HEADER = 100_000_000


def form_of(path: Path) -> Form:
    """Return the form of a checkpoint.

    Raises:
        BackendError: there is nothing, or it is no checkpoint, or it is visibly cut off.
    """
    if path.is_dir():
        for part in folder_files(path):
            if part.suffix == ".safetensors":
                form_of(part)
        return "folder"
    try:
        with path.open("rb") as file:
            head = file.read(len(_LEGACY))
        whole_zip = head.startswith(_ZIP) and zipfile.is_zipfile(path)
        whole_safetensors = head[8:9] == b"{" and _is_whole_safetensors(path)
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}; check the path") from error
    if whole_zip or head == _LEGACY:
        return "official"
    if whole_safetensors:
        return "safetensors"
    raise BackendError(f"{path} is no checkpoint: {_what_else(head)}; get it again")


def is_legacy(path: Path) -> bool:
    """True for an official file that is no zip archive; it cannot be mapped into memory."""
    with path.open("rb") as file:
        return file.read(len(_LEGACY)) == _LEGACY


def folder_files(folder: Path) -> list[Path]:
    """Return the files of a `save_pretrained` folder that make the network, in order of name.

    Raises:
        BackendError: it has no `config.json` or no `*.safetensors`, or lacks a shard.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not (folder / CONFIG).is_file() or not weights:
        raise BackendError(
            f"{folder} holds no checkpoint: a folder needs {CONFIG} and *.safetensors, "
            "as save_pretrained writes them"
        )
    index = folder / INDEX
    if not index.is_file():
        return [folder / CONFIG, *weights]
    try:
        named = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackendError(f"{index} is damaged; get the folder again") from error
    missing = [name for name in named if folder / name not in weights]
    if missing:
        raise BackendError(f"{folder} lacks {', '.join(missing)}; get the folder again")
    return [folder / CONFIG, index, *weights]


def _is_whole_safetensors(path: Path) -> bool:
    """True if the file is as long as its header says: a length, JSON, and the tensors' bytes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, _LONGEST_HEADER):
            return False
        try:
            header = json.loads(file.read(length))
            ends = [header[key]["data_offsets"][1] for key in header if key != "__metadata__"]
            return 8 + length + max(ends, default=0) == size
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            return False


def _what_else(head: bytes) -> str:
    if not head:
        return "the file is empty"
    if head.startswith(_ZIP):
        return "the file is cut off"
    if head.lstrip().startswith(b"<"):
        return "it is a web page"
    return "neither a whole PyTorch file nor a whole safetensors file"
