"""Manifests: what an artefact was made from, so that it is reused, or redone for a reason."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from moseg.core.errors import CacheError
from moseg.version import __version__

FORMAT: Final = 1


class Identity(BaseModel):
    """All that an artefact's bytes depend on. Equal identities mean equal bytes.

    Attributes:
        stage, backend, backend_version: who made it.
        moseg: version of the package.
        params: the backend's settings.
        seed: the seed given to the backend; None where it uses none.
        source: what the backend adds: fingerprint of the input, digest of a checkpoint.
        needs: earlier stage -> key of its artefact.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str
    backend: str
    backend_version: int
    moseg: str = __version__
    params: dict[str, Any]
    seed: int | None
    source: dict[str, str]
    needs: dict[str, str]

    @property
    def key(self) -> str:
        """Hex digest of the identity."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class StoredFile(BaseModel):
    """Size in bytes and SHA-256 of one file of an artefact."""

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> StoredFile:
        """Return the record of a file.

        Raises:
            OSError: it cannot be read.
        """
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return cls(size=path.stat().st_size, sha256=digest)


class Manifest(BaseModel):
    """The record beside an artefact. It holds no times: equal runs write equal manifests.

    Attributes:
        state: `publishing` until the artefact stands in its place, then `complete`.
        files: path below the artefact ("" for a file artefact) -> size and digest.
        summary, notes: what the backend reported.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = FORMAT
    state: Literal["publishing", "complete"]
    key: str
    identity: Identity
    files: dict[str, StoredFile]
    summary: dict[str, Any] = {}
    notes: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the content of the manifest file."""
        return self.model_dump_json(indent=1).encode()


def read_manifest(path: Path) -> Manifest | None:
    """Return the manifest at `path`, or None where there is none.

    Raises:
        CacheError: it is damaged or of another format.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CacheError("its manifest is damaged") from error
    return parse_manifest(content)


def parse_manifest(content: bytes) -> Manifest:
    """Return the manifest that a file holds.

    Raises:
        CacheError: it is damaged or of another format.
    """
    try:
        data = json.loads(content)
    except ValueError as error:
        raise CacheError("its manifest is damaged") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise CacheError("its manifest is of another format")
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        raise CacheError("its manifest is damaged") from error
    if manifest.key != manifest.identity.key:
        raise CacheError("its manifest is damaged")
    return manifest


def describe_change(old: Identity, new: Identity) -> str:
    """Return why an artefact of identity `old` cannot serve `new`, in a few words."""
    if old.moseg != new.moseg:
        return f"made by moseg {old.moseg}, this is {new.moseg}"
    if (old.backend, old.backend_version) != (new.backend, new.backend_version):
        return (
            f"backend changed from {old.backend} v{old.backend_version} "
            f"to {new.backend} v{new.backend_version}"
        )
    if old.source != new.source:
        changed = sorted(
            k for k in {*old.source, *new.source} if old.source.get(k) != new.source.get(k)
        )
        return f"the {' and '.join(changed)} changed"
    if old.params != new.params:
        keys = sorted({*old.params, *new.params})
        changes = [
            f"{key} {old.params.get(key)} -> {new.params.get(key)}"
            for key in keys
            if old.params.get(key) != new.params.get(key)
        ]
        return f"parameter changed: {', '.join(changes)}"
    if old.seed != new.seed:
        return f"seed changed from {old.seed} to {new.seed}"
    changed = sorted(k for k in new.needs if old.needs.get(k) != new.needs[k])
    return f"it depends on {', '.join(changed) or 'other stages'}, which changed"
