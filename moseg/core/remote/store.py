"""Objects in a store that speaks S3: list, read, write, copy, delete. Nothing of moseg's rules.

Each call asks the store anew. Several files are copied at a time; tries after a failure are
botocore's (`AWS_MAX_ATTEMPTS`). `s3fs` is imported with the first call and never before.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from moseg.core.errors import BackendError, MosegError
from moseg.core.remote.mirror import SCHEME

_COPYING = {"batch_size": 8, "chunksize": 16 * 2**20, "max_concurrency": 4}
"""At most 8 files of 4 pieces in memory at a time: half a gigabyte."""

_MOST_DELETED = 1000  # keys in one request

_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "500", "502", "503", "504"})
"""What a store answers when it is at fault, and may not be a while later."""

_NOT_SO = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412"})
"""What a store answers when an object is not as the condition of a write wants it."""


class StoreError(MosegError):
    """The store refuses: no such bucket, no permission, a wrong name."""


class StoreUnreachable(StoreError):
    """The store does not answer, after botocore's own tries; another one may do better."""


@dataclass(frozen=True)
class Stored:
    """An object: size in bytes, ETag (changes with its content), the store's time of writing."""

    size: int
    etag: str
    modified: datetime | None


def join(url: str, name: str) -> str:
    """Return the URL of `name` below `url`; that of `url` itself for ""."""
    return f"{url}/{name}" if name else url


def objects_below(url: str) -> dict[str, Stored]:
    """Return all objects below `url` by their path there; "" is an object at `url` itself.

    Raises:
        StoreError: the store refuses or is away.
    """
    with _asking(url):
        found = _files().find(url, detail=True)
    start = len(url.removeprefix(SCHEME)) + 1
    return {
        name[start:]: _stored(entry)
        for name, entry in found.items()
        if entry["type"] == "file" and not name.endswith("/")
    }


def entries_in(url: str) -> dict[str, Stored | None]:
    """Return what lies directly below `url`, by name: an object, or None for a folder.

    An object at `url` itself is "", and only seen where nothing lies below.

    Raises:
        StoreError: the store refuses or is away.
    """
    place = url.removeprefix(SCHEME)
    with _asking(url):
        try:
            found = _files().ls(url, detail=True)
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise
            return {}
    entries: dict[str, Stored | None] = {}
    for entry in found:
        name = entry["name"].removeprefix(place).strip("/")
        if name:
            entries[name] = _stored(entry) if entry["type"] == "file" else None
        elif not entry["name"].endswith("/"):  # else the empty object that some use for a folder
            entries[""] = _stored(entry)
    return entries


def read(url: str) -> bytes | None:
    """Return the content of a small object, or None where there is none."""
    with _asking(url):
        try:
            content: bytes = _files().cat_file(url, max_concurrency=1)  # one request
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise
            return None
    return content


def write(url: str, content: bytes, **tags: str) -> None:
    """Write a small object; it appears whole. `tags` are kept beside its content."""
    with _asking(url):
        _files().pipe_file(url, content, Metadata=tags)


def create(url: str, content: bytes) -> str | None:
    """Write a small object if there is none; return its ETag, or None if there was one."""
    return _write_if(url, content, IfNoneMatch="*")


def replace(url: str, content: bytes, etag: str) -> str | None:
    """Write a small object if the one there has `etag`; return the new ETag, or None."""
    return _write_if(url, content, IfMatch=etag)


def _write_if(url: str, content: bytes, **condition: str) -> str | None:
    with _asking(url):
        try:
            answer = _files().pipe_file(url, content, **condition)
        except OSError as error:
            if isinstance(error, FileExistsError) or _code(error) in _NOT_SO:
                return None
            raise
    return str(answer["ETag"])


def look(url: str) -> tuple[str, float] | None:
    """Return ETag and age in seconds of an object, by the store's own clock; None without one."""
    head = _head(url)
    if head is None:
        return None
    now = parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"])
    return str(head["ETag"]), (now - head["LastModified"]).total_seconds()


def tags(url: str) -> dict[str, str]:
    """Return what `write` kept beside an object; {} where there is none."""
    head = _head(url)
    return {} if head is None else dict(head["Metadata"])


def _head(url: str) -> Mapping[str, Any] | None:
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    with _asking(url):
        try:
            answer: Mapping[str, Any] = _files().call_s3("head_object", Bucket=bucket, Key=key)
        except FileNotFoundError:
            return None
    return answer


def upload(url: str, files: Mapping[str, Path]) -> None:
    """Copy files to their names below `url`."""
    if files:
        with _asking(url):
            paths = [str(path) for path in files.values()]
            _files().put(paths, [join(url, name) for name in files], **_COPYING)


def download(url: str, files: Mapping[str, Path]) -> None:
    """Copy objects below `url` to files; folders are made when needed."""
    if files:
        with _asking(url):
            paths = [str(path) for path in files.values()]
            _files().get([join(url, name) for name in files], paths, **_COPYING)


def delete(url: str, names: Iterable[str]) -> None:
    """Delete objects below `url`; those that are not there are no error."""
    bucket = url.removeprefix(SCHEME).partition("/")[0]
    start = len(SCHEME + bucket) + 1
    keys = [{"Key": join(url, name)[start:]} for name in names]
    for first in range(0, len(keys), _MOST_DELETED):
        chosen = {"Objects": keys[first : first + _MOST_DELETED], "Quiet": True}
        with _asking(url):
            answer = _files().call_s3("delete_objects", Bucket=bucket, Delete=chosen)
        for refusal in answer.get("Errors", []):
            raise StoreError(f"{url} cannot be deleted: {refusal.get('Message') or refusal}")


def _files() -> Any:
    """Return this process's file system; one instance is kept for each process by fsspec.

    Raises:
        BackendError: the package is missing.
    """
    try:
        s3fs = importlib.import_module("s3fs")
    except ImportError as error:
        raise BackendError("s3:// needs the package s3fs; pip install 'moseg[s3]'") from error
    return s3fs.S3FileSystem(use_listings_cache=False)


def _stored(entry: Mapping[str, Any]) -> Stored:
    return Stored(int(entry["size"]), entry.get("ETag", "").strip('"'), entry.get("LastModified"))


@contextmanager
def _asking(url: str) -> Iterator[None]:
    """Turn what the store and the network say into one line; errors of the local disk pass."""
    try:
        yield
    except Exception as error:
        known = _in_words(url, error)
        if known is None:
            raise
        raise known from error


def _in_words(url: str, error: Exception) -> MosegError | None:
    """Return what a failure means to a person; None if the store has no part in it."""
    kind, code = type(error), _code(error)
    if kind.__name__ == "ParamValidationError":
        return StoreError(f"{url} is no name that a store takes; check the URL")
    if "Credentials" in kind.__name__ or "Profile" in kind.__name__:
        return StoreError(
            f"{url}: {error}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if isinstance(error, TimeoutError | ConnectionError) or code in _BUSY:
        return _unreachable(url, error)
    if kind.__module__.startswith(("botocore", "aiobotocore", "aiohttp")):
        return _unreachable(url, error)
    if not isinstance(error, OSError) or (error.errno is not None and not code):
        return None
    if code == "NoSuchBucket":
        return StoreError(f"{url}: there is no such bucket; check its name")
    if isinstance(error, FileNotFoundError):
        return StoreError(f"{url}: no such object; check the URL, or run again if it was deleted")
    if isinstance(error, PermissionError):
        return StoreError(f"{url}: no permission ({error}); check the credentials and their rights")
    return StoreError(f"{url}: the store refuses ({error}); check the URL and the credentials")


def _code(error: Exception) -> str:
    """Return the store's own word for what is wrong, "" where it said nothing."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _unreachable(url: str, error: Exception) -> StoreUnreachable:
    return StoreUnreachable(
        f"{url}: the store does not answer ({error}); check the network and AWS_ENDPOINT_URL, "
        "then run again, finished work is kept"
    )
