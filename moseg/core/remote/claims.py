"""Claims in a store: objects that are made, refreshed and taken over by conditional writes.

The store answers of two writers to only one that its condition held. Ages are told by its own
clock: when an object was written, and when it answered.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from moseg.core.claims import UNKNOWN, Claim, Claims, Holder
from moseg.core.errors import MosegError, OutputError
from moseg.core.layout import Layout
from moseg.core.remote import store


@dataclass(frozen=True)
class RemoteClaim(Claim):
    """A claim in a store at `url`; `path` is only its name."""

    url: str

    def holder(self) -> Holder | None:
        """Return who holds the scene now; None where nobody does."""
        content = store.read(self.url)
        return None if content is None else Holder.parse(content)


class RemoteClaims(Claims):
    """The claims of one run on the scenes of a cache in a store.

    Args:
        cache: the folder of the cache on the scratch disk; nothing is written there.
        url: where the cache lies.
    """

    def __init__(self, cache: Path, url: str) -> None:
        super().__init__(cache)
        self._url = url
        self._etags: dict[Path, str] = {}

    def _claim(self, path: Path) -> RemoteClaim:
        return RemoteClaim(path, self._us.token, self._url_of(path))

    def _try(self, claim: Claim) -> Holder | None:
        url = self._url_of(claim.path)
        try:
            etag = store.create(url, self._us.to_bytes())
            if etag is None:
                seen = store.look(url)  # before it is read: a change in between is noticed
                holder = claim.holder() or UNKNOWN
                if seen is None or not self._is_left_behind(claim.path, holder):
                    return holder
                etag = store.replace(url, self._us.to_bytes(), seen[0])
        except MosegError as error:
            raise OutputError(str(error)) from error
        if etag is None:
            return claim.holder() or UNKNOWN
        self._etags[claim.path] = etag
        return None

    def _age(self, path: Path) -> float:
        seen = store.look(self._url_of(path))
        return 0.0 if seen is None else seen[1]

    def _refresh(self, claim: Claim) -> None:
        with suppress(MosegError):  # taken over or the store is away: publishing will notice
            url, etag = self._url_of(claim.path), self._etags[claim.path]
            self._etags[claim.path] = store.replace(url, self._us.to_bytes(), etag) or etag

    def _give_back(self, claim: Claim) -> None:
        with suppress(MosegError):  # it will be left behind, and taken over
            holder = claim.holder()
            if holder is not None and holder.token == claim.token:
                store.delete(self._url_of(claim.path), [""])

    def _url_of(self, path: Path) -> str:
        return store.join(self._url, path.name)


def claims_on(layout: Layout) -> Claims:
    """Return the claims of one run on the scenes of a cache, wherever it lies."""
    url = layout.mirror.url(layout.cache) if layout.mirror else None
    return Claims(layout.cache) if url is None else RemoteClaims(layout.cache, url)
