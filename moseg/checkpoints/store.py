"""The store: the folder where checkpoints lie, and how they are found in it.

A checkpoint of the manifest may lie there in any of three forms: the official file under its
own name, `NAME.safetensors` (converted by moseg), or the folder `NAME/` (`save_pretrained`).
Where there is more than one, the first of these counts.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from pathlib import Path

from moseg.checkpoints.digests import Digests
from moseg.checkpoints.manifest import Entry, Manifest, checkout_folder, known_checkpoints
from moseg.core.errors import BackendError, ConfigError

VARIABLE = "MOSEG_CHECKPOINTS"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that is here.

    Attributes:
        path: file, or `save_pretrained` folder.
        sha256: its digest (`Digests.of`).
        entry: what the manifest says; None for one that was given by its path.
    """

    path: Path
    sha256: str
    entry: Entry | None


@dataclass(frozen=True)
class Expected:
    """The digest that a file has to have: a published one, or the one `first_seen` here."""

    sha256: str
    first_seen: bool

    def told(self, other: str) -> str:
        """Return in a few words that a file has the digest `other` instead."""
        who = "first seen here" if self.first_seen else "its authors published"
        return f"{who} (sha256 {other[:12]}, not {self.sha256[:12]})"


@dataclass(frozen=True)
class Store:
    """One folder of checkpoints; it need not exist yet."""

    folder: Path
    manifest: Manifest = field(repr=False)

    @property
    def digests(self) -> Digests:
        """The digests of this folder."""
        return Digests(self.folder)

    def entry(self, name: str) -> Entry:
        """Return the manifest's entry of this name.

        Raises:
            ConfigError: there is none; the nearest name is told.
        """
        entry = self.manifest.find(name)
        if entry is None:
            raise ConfigError(f"unknown checkpoint '{name}'{self._hint(name)}")
        return entry

    def official(self, entry: Entry) -> Path:
        """Return where the official file lies, or would lie."""
        return self.folder / entry.file

    def slots(self, entry: Entry) -> tuple[Path, ...]:
        """Return where the forms of a checkpoint lie, in the order in which they count."""
        converted = (self.folder / f"{entry.name}.safetensors", self.folder / entry.name)
        return self.official(entry), *converted

    def find(self, entry: Entry) -> Path | None:
        """Return where a checkpoint lies, or None where it is not here."""
        return next((slot for slot in self.slots(entry) if slot.exists()), None)

    def locate(self, name_or_path: str) -> Path:
        """Return where a checkpoint lies.

        Args:
            name_or_path: a name of the manifest, or a path. A name counts first: a file that is
                called like one is `./NAME`.

        Raises:
            BackendError: it is not here; the line ends with the command that brings it.
        """
        entry = self.manifest.find(name_or_path)
        if entry is not None:
            path = self.find(entry)
            if path is None:
                raise BackendError(
                    f"checkpoint {entry.name} is not in {self.folder}; {entry.advice}"
                )
            return path
        given = _at_home(name_or_path)
        if _exists(given):
            return given
        raise BackendError(f"no checkpoint '{name_or_path}'{self._hint(name_or_path)}")

    def checked(self, name_or_path: str, fresh: bool = False, trust: bool = False) -> Checkpoint:
        """Return a checkpoint after its digest was checked, or recorded at first sight.

        Args:
            fresh: read the file even if its size and time are as they were.
            trust: take the digest for the right one from now on; not against a published one.

        Raises:
            BackendError: as `locate`; or it is not the file it should be.
        """
        path, entry = self.locate(name_or_path), self.manifest.find(name_or_path)
        digest = self.digests.of(path, fresh)
        if entry is None:
            return Checkpoint(path, digest, None)
        expected = self.expected(entry, path)
        if expected is None or (trust and expected.first_seen):
            self.digests.record(path.name, digest)
        elif digest != expected.sha256:
            trusting = f"; if you trust it: moseg checkpoints verify {entry.name} --trust"
            raise BackendError(
                f"{path} is not the file {expected.told(digest)}; to get it again "
                f"{entry.advice}{trusting if expected.first_seen else ''}"
            )
        return Checkpoint(path, digest, entry)

    def present(self, entry: Entry) -> Checkpoint | None:
        """Return a checkpoint that is here and right; None where it has to be brought."""
        try:
            return None if self.find(entry) is None else self.checked(entry.name)
        except BackendError:
            return None

    def expected(self, entry: Entry, slot: Path) -> Expected | None:
        """Return the digest that the form of a checkpoint in `slot` has to have, if any is known.

        It is the published one, else the one at first sight.
        """
        if slot == self.official(entry) and entry.sha256 is not None:
            return Expected(entry.sha256, first_seen=False)
        recorded = self.digests.recorded(slot.name)
        return None if recorded is None else Expected(recorded, first_seen=True)

    def adopt(self, path: Path) -> None:
        """Record the digest of what moseg itself wrote, if a checkpoint's form belongs there."""
        slots = [slot for entry in self.manifest.checkpoints for slot in self.slots(entry)]
        if path.resolve() in [slot.resolve() for slot in slots]:
            self.digests.record(path.name, self.digests.of(path))

    def _hint(self, given: str) -> str:
        official = {entry.file: entry.name for entry in self.manifest.checkpoints}
        if Path(given).name in official:
            entry = self.entry(official[Path(given).name])
            return f": no such file; its name in moseg is {entry.name}: {entry.advice}"
        names = [entry.name for entry in self.manifest.checkpoints]
        near = difflib.get_close_matches(given, names, n=1)
        meant = f", did you mean {near[0]}" if near else ""
        return f": no such name or file{meant}; see moseg checkpoints list"


def open_store() -> Store:
    """Return the store of this machine.

    Its folder is the environment variable MOSEG_CHECKPOINTS, else `checkpoints/` of the source
    tree that moseg runs from, else `~/.cache/moseg/checkpoints`.

    Raises:
        ConfigError: the manifest is missing.
    """
    given = os.environ.get(VARIABLE)
    if given:
        folder = _at_home(given).absolute()
    else:
        folder = checkout_folder() or Path.home() / ".cache/moseg/checkpoints"
    return Store(folder, known_checkpoints())


def locate(name_or_path: str) -> Path:
    """Return where a checkpoint lies; see `Store.locate`."""
    return open_store().locate(name_or_path)


def digest(path: Path) -> str:
    """Return the SHA-256 of a checkpoint file or folder; see `Digests.of`."""
    return open_store().digests.of(path)


def _at_home(text: str) -> Path:
    """Return a path with `~` replaced, where there is such a home."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name too long for the file system
        return False
