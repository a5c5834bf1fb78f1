"""Local paths that stand for objects of a store: `s3://bucket/key` is `<root>/s3/bucket/key`.

Everything in moseg works with local paths. A mirror says which of them are copies of objects
in a store; whoever reads or publishes asks it, and nobody else needs to know. Credentials and
the address of the store come from the environment and the configuration that botocore reads
itself (`AWS_PROFILE`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...).
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from moseg.core.errors import InputError, OutputError, writing_to

SCHEME = "s3://"

SCRATCH_GB = 50.0
"""What copies may take unless the user says otherwise."""


def is_remote(text: str) -> bool:
    """True for the URL of an object store, false for a path."""
    return text.startswith(SCHEME)


@dataclass(frozen=True)
class Mirror:
    """The copies that one machine keeps; small, and can be sent to another process or machine.

    Attributes:
        root: the scratch folder, on a disk of this machine; made when needed.
        limit: bytes that copies may take; those not used for longest go first.
    """

    root: Path
    limit: int = int(SCRATCH_GB * 1e9)

    @property
    def copies(self) -> Path:
        """The folder of all copies."""
        return self.root / "s3"

    def path(self, url: str) -> Path:
        """Return where the copy of `url` lies; a slash at its end makes no difference.

        Raises:
            InputError: it is no URL of a store, or no path can stand for it.
        """
        bucket, *parts = url.removeprefix(SCHEME).removesuffix("/").split("/")
        if not is_remote(url) or not bucket:
            raise InputError(f"{url!r} names no bucket; write s3://bucket/path")
        if {"", ".", ".."} & {bucket, *parts} or "\0" in url:
            raise InputError(f"{url!r} has an empty or dotted part; name it without")
        return self.copies.joinpath(bucket, *parts)

    def url(self, path: Path) -> str | None:
        """Return what `path` is the copy of, or None for an ordinary file."""
        if not path.is_relative_to(self.copies) or path == self.copies:
            return None
        return SCHEME + path.relative_to(self.copies).as_posix()


def open_mirror(scratch: Path | None = None, gigabytes: float = SCRATCH_GB) -> Mirror:
    """Return the mirror of a scratch folder, which is made when needed.

    Args:
        scratch: the folder; None for `moseg-<user id>` where the system keeps temporary files.

    Raises:
        OutputError: it cannot be made, or belongs to somebody else.
    """
    if scratch is None:
        scratch = Path(tempfile.gettempdir()) / f"moseg-{os.getuid()}"
    make_scratch(scratch.absolute())
    return Mirror(scratch.absolute(), int(gigabytes * 1e9))


def make_scratch(folder: Path) -> None:
    """Make a scratch folder for its owner alone; one that is there must be ours.

    Raises:
        OutputError: it cannot be made, or belongs to somebody else.
    """
    with writing_to(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if {folder.stat().st_uid, folder.lstat().st_uid} != {os.getuid()}:  # nor a link of theirs
        raise OutputError(f"the scratch folder {folder} belongs to another user; choose another")


def local_path(text: str, mirror: Mirror | None) -> Path:
    """Return the path that stands for what a user wrote, a path or a URL.

    Raises:
        InputError: it is a URL that no path can stand for.
    """
    return mirror.path(text) if mirror is not None and is_remote(text) else Path(text)
