"""Fetching one file over HTTP: goes on where an earlier attempt was stopped."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from moseg.core.errors import BackendError, writing_to
from moseg.core.files import discard, published
from moseg.version import __version__

ProgressCall = Callable[[int, int | None], None]
"""Called with (bytes done, bytes in all or None where nobody says)."""

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as dead."""
_BLOCK = 1 << 16
_RETRY = "run the same command again, it goes on from there"
_OTHERWISE = "try again later, name a mirror (MOSEG_CHECKPOINT_MIRROR), or use --from FILE"
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


@dataclass(frozen=True)
class _Version:
    """Which version of which file a partial download belongs to.

    Attributes:
        url: what was asked for.
        validator: strong ETag or date, by which the server recognises the version.
        size: bytes of the whole file, where the server said.
    """

    url: str
    validator: str | None
    size: int | None


@dataclass(frozen=True)
class _Answer:
    """What the server is about to send: the file from byte `start` on."""

    response: HTTPResponse
    start: int
    version: _Version


def fetch(url: str, partial: Path, progress: ProgressCall, timeout: float = TIMEOUT) -> None:
    """Fill `partial` with the bytes at `url`.

    What an earlier call left there is kept if the server confirms (Range, If-Range, the length)
    that its file is still the same; else the download starts over. A call that is stopped
    leaves what it has, and beside it a note of which version of the file that is.

    Raises:
        BackendError: the server cannot be reached, refuses, stops answering, sends a web page,
            or sends less than it promised.
        OutputError: the place cannot be written.
    """
    known = _read_note(_note(partial))
    if known is None or known.url != url:
        known = None
    held = partial.stat().st_size if known is not None and partial.exists() else 0
    answer = _ask(url, held, known, timeout)
    if answer is None:
        return
    done, total = answer.start, answer.version.size
    with answer.response, writing_to(partial), partial.open("ab") as file:
        file.truncate(done)
        if done == 0:
            _write_note(_note(partial), answer.version)
        for block in _blocks(answer.response, url):
            done += file.write(block)
            progress(done, total)
        file.flush()
        os.fsync(file.fileno())
    if total is not None and done < total:
        raise BackendError(f"{url}: the connection was cut at byte {done} of {total}; {_RETRY}")


def forget(partial: Path) -> None:
    """Remove a partial download and the note beside it."""
    discard(partial)
    discard(_note(partial))


def _ask(url: str, held: int, known: _Version | None, timeout: float) -> _Answer | None:
    """Ask for what is missing, or for all of it; None if nothing is missing.

    Args:
        held: bytes that are here, of the version `known`.
    """
    rest: dict[str, str] = {}
    if known is not None and held > 0:
        if held == known.size:
            return None
        rest["Range"] = f"bytes={held}-"
        if known.validator is not None:
            rest["If-Range"] = known.validator
    response = _request(url, rest, timeout)
    if known is not None and _is_rest(response, held, known):
        return _Answer(response, held, known)
    if rest and response.status != 200:
        response.close()
        return _ask(url, 0, None, timeout)
    if response.status != 200 or response.headers.get_content_type() == "text/html":
        response.close()
        raise BackendError(f"{url}: the server sent something else than a file; {_OTHERWISE}")
    return _Answer(response, 0, _version(url, response))


def _request(url: str, rest: Mapping[str, str], timeout: float) -> HTTPResponse:
    """Return the server's answer; of refusals only 416, that there is no such range."""
    headers = {"User-Agent": f"moseg/{__version__}", **rest}
    try:
        return cast(HTTPResponse, urlopen(Request(url, headers=headers), timeout=timeout))
    except HTTPError as error:
        if error.code == 416 and rest:
            return cast(HTTPResponse, error)  # it has the status and the headers of a response
        error.close()
        reason = f"the server answers {error.code} {error.reason}"
        raise BackendError(f"{url}: {reason}; {_OTHERWISE}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise BackendError(
            f"{url}: no answer from the server ({_why(error)}); {_OTHERWISE}"
        ) from error


def _why(error: Exception) -> str:
    """Return the cause in a few words, without error numbers."""
    cause = error.reason if isinstance(error, URLError) else error
    return str(getattr(cause, "strerror", None) or cause or type(cause).__name__)


def _is_rest(response: HTTPResponse, held: int, known: _Version) -> bool:
    """True if the answer is the file from byte `held` on, as far as headers can tell."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status != 206 or match is None:
        return False
    return int(match[1]) == held and known.size in (None, int(match[2]))


def _version(url: str, response: HTTPResponse) -> _Version:
    etag = response.headers.get("ETag", "")
    strong = etag if etag.startswith('"') else None
    length = response.headers.get("Content-Length")
    size = int(length) if length is not None and length.isdecimal() else None
    return _Version(url, strong or response.headers.get("Last-Modified"), size)


def _blocks(response: HTTPResponse, url: str) -> Iterator[bytes]:
    """Yield what arrives, as it arrives."""
    try:
        while block := response.read1(_BLOCK):
            yield block
    except TimeoutError as error:
        raise BackendError(f"{url}: the server stopped sending; {_RETRY}") from error
    except (OSError, HTTPException) as error:
        raise BackendError(f"{url}: the connection was cut; {_RETRY}") from error


def _note(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _write_note(path: Path, version: _Version) -> None:
    with published(path) as partial:
        partial.write_text(json.dumps(asdict(version)), encoding="utf-8")


def _read_note(path: Path) -> _Version | None:
    """Return the note of an earlier attempt; None where there is none that can be used."""
    try:
        return _Version(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
