"""Claims: which run works on a scene, so that runs on one cache share the work.

A claim is a file in the cache, `.<scene>.claim`, that names its run. The run keeps it fresh
and removes it when the scene is over. A run that was killed leaves its claims behind; another
takes them over at once on the same machine, where it can see that the process is gone, and
elsewhere when the claim has not been refreshed for `STALE` seconds. Ages are told by the file
system's own clock, so the clocks of machines need not agree.

Claims keep runs from doing work twice. What keeps artefacts whole is the cache; and a run whose
claim was taken over (it had been suspended, say) finds that out before it publishes.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from moseg.core.closing import Closing
from moseg.core.errors import OutputError, writing_to
from moseg.core.processes import is_alive, machine_id
from moseg.core.progress import Listener
from moseg.core.scene import Scene

BEAT = 10.0
"""Seconds between two refreshings of a claim."""

STALE = 60.0
"""Seconds after which a claim that nobody refreshes counts as left behind."""

PATIENCE = 1.0
"""Seconds between two looks at scenes that another run works on."""


@dataclass(frozen=True)
class Claim:
    """A claim that a run holds; goes with its steps to wherever they are computed."""

    path: Path
    token: str

    def holder(self) -> Holder | None:
        """Return who holds the scene now; None where nobody does."""
        return _read(self.path)

    def check(self, scene: str) -> None:
        """Make sure that the scene is still this run's.

        Raises:
            OutputError: another run took it over.
        """
        holder = self.holder()
        if holder is None or holder.token != self.token:
            raise OutputError(
                f"{scene}: another run took this scene over, since this one was not heard of for "
                f"{STALE:.0f} s; run again for what is missing"
            )


@dataclass(frozen=True)
class Holder:
    """Who holds a claim.

    Attributes:
        machine: tells apart hosts, their boots, and containers that number processes anew.
    """

    token: str
    host: str
    machine: str
    pid: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    def to_bytes(self) -> bytes:
        """Return the content of a claim of this run."""
        return json.dumps(vars(self)).encode()

    @classmethod
    def parse(cls, content: bytes) -> Holder:
        """Return whom a claim names; a fresh one that is not written yet names nobody known."""
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError):
            return UNKNOWN


UNKNOWN = Holder("", "another machine", "", 0)


class Claims(Closing):
    """The claims of one run on the scenes of one cache; a thread keeps them fresh.

    Args:
        cache: the folder of the cache; it is made when the first scene is claimed.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._us = Holder(uuid.uuid4().hex, socket.gethostname(), machine_id(), os.getpid())
        self._held: dict[str, Claim] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, scene: str) -> Claim | Holder:
        """Claim a scene; return the claim, or who else holds it.

        Raises:
            OutputError: the cache cannot be written.
        """
        claim = self._claim(self._cache / f".{scene}.claim")
        holder = self._try(claim)
        if holder is not None:
            return holder
        with self._lock:
            self._held[scene] = claim
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_fresh, daemon=True)
            self._thread.start()
        return claim

    def release(self, scene: str) -> None:
        """Give a scene back; does nothing if it is not held."""
        with self._lock:
            claim = self._held.pop(scene, None)
        if claim is not None:
            self._give_back(claim)

    def close(self) -> None:
        """Give all scenes back."""
        self._closed.set()
        for scene in list(self._held):
            self.release(scene)

    def _claim(self, path: Path) -> Claim:
        return Claim(path, self._us.token)

    def _try(self, claim: Claim) -> Holder | None:
        """Make a claim ours; return who else holds it."""
        with writing_to(claim.path):
            self._cache.mkdir(parents=True, exist_ok=True)
            return None if self._create(claim.path) else self._other(claim.path)

    def _give_back(self, claim: Claim) -> None:
        holder = claim.holder()
        if holder is not None and holder.token == claim.token:
            claim.path.unlink(missing_ok=True)

    def _refresh(self, claim: Claim) -> None:
        holder = claim.holder()
        if holder is not None and holder.token == claim.token:
            with suppress(OSError):  # taken over or the disk is away: publishing will notice
                os.utime(claim.path)

    def _create(self, path: Path) -> bool:
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        try:
            with os.fdopen(file, "wb") as stream:
                stream.write(self._us.to_bytes())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return True

    def _other(self, path: Path) -> Holder | None:
        """Return who holds the claim at `path`; None when it was left behind and is ours now."""
        holder = _read(path)
        if holder is not None and not self._is_left_behind(path, holder):
            return holder
        # Only one run can move the file away; it may be a fresh claim by the time it does.
        aside = path.with_name(f"{path.name}.{self._us.token}")
        try:
            path.rename(aside)
        except FileNotFoundError:
            pass
        else:
            moved = _read(aside)
            if moved is not None and moved != holder:
                aside.replace(path)
                return moved
            aside.unlink()
        if self._create(path):
            return None
        return _read(path) or UNKNOWN

    def _is_left_behind(self, path: Path, holder: Holder) -> bool:
        gone = holder.machine == self._us.machine and not is_alive(holder.pid)
        return gone or self._age(path) > STALE

    def _age(self, path: Path) -> float:
        """Return the seconds since a claim was refreshed, by the file system's clock."""
        probe = path.with_name(f"{path.name}.{self._us.token}")
        probe.touch()
        try:
            return probe.stat().st_mtime - path.stat().st_mtime
        except FileNotFoundError:
            return 0.0
        finally:
            probe.unlink(missing_ok=True)

    def _keep_fresh(self) -> None:
        while not self._closed.wait(BEAT):
            with self._lock:
                held = list(self._held.values())
            for claim in held:
                self._refresh(claim)


class ClaimedScenes:
    """Scenes to work on, given out one by one as they can be claimed.

    Scenes that another run holds come last: by then they are mostly done.
    """

    def __init__(self, scenes: Iterable[Scene], claims: Claims, listener: Listener) -> None:
        self._claims = claims
        self._listener = listener
        self._new = deque(scenes)
        self._busy: deque[Scene] = deque()
        self._looked = 0.0
        self._told: set[str] = set()

    def __len__(self) -> int:
        """How many scenes have not been given out."""
        return len(self._new) + len(self._busy)

    def next(self) -> tuple[Scene, Claim | None] | None:
        """Return a scene that is this run's now, or None when there is none at the moment.

        Where no claim can be written the scene comes without one: a stage that has to write
        will say what is wrong, and one that has not needs no claim.
        """
        while self._new:
            scene = self._new.popleft()
            try:
                claim = self._take(scene)
            except OutputError:
                return scene, None
            if claim is not None:
                return scene, claim
            self._busy.append(scene)
        if time.monotonic() - self._looked < PATIENCE:
            return None
        for _ in range(len(self._busy)):
            scene = self._busy.popleft()
            try:
                claim = self._take(scene)
            except OutputError:
                claim = None  # it is another run's, so it is asked for again later
            if claim is not None:
                return scene, claim
            self._busy.append(scene)
        self._looked = time.monotonic()
        return None

    def _take(self, scene: Scene) -> Claim | None:
        taken = self._claims.take(scene.name)
        if isinstance(taken, Claim):
            return taken
        if taken.token not in self._told:
            self._told.add(taken.token)
            line = f"{scene.name} is worked on by another run ({taken}); its scenes are left to it"
            self._listener.note(line)
        return None


def _read(path: Path) -> Holder | None:
    """Return who a claim file names, or None where there is none."""
    try:
        return Holder.parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError:
        return UNKNOWN
