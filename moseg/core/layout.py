"""Where the artefacts of a run lie on disk.

A layout maps (scene, artefact) to a `Slot`: the folder or file a person or another program
reads, and the manifest that the cache keeps for it. Stages and runners see slots alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from moseg.core.remote.mirror import Mirror


@dataclass(frozen=True)
class Slot:
    """One artefact of one scene.

    Attributes:
        target: folder or file that appears whole or not at all.
        manifest: what the cache knows about it; never inside `target`.
        mirror: the artefact lies in a store, and `target` is the place of a copy; None for one
            that lies on disk.
    """

    target: Path
    manifest: Path
    mirror: Mirror | None = None

    @property
    def place(self) -> str:
        """What a person calls the artefact's place: its URL or its path."""
        url = self.mirror.url(self.target) if self.mirror else None
        return url or str(self.target)

    def file(self, name: str) -> Path:
        """Return the path of a file that the artefact's manifest calls `name`."""
        return self.target / name if name else self.target


@dataclass(frozen=True)
class Layout:
    """Artefacts under `cache/<scene>/`, except those with a public place of their own.

    Attributes:
        cache: root of the working artefacts and of all manifests.
        public: artefact -> what comes before and after the scene's name in its path.
        homes: artefact -> root of its working folder and manifest, where it is not `cache`.
        mirror: artefacts whose manifest is under it lie in a store.
    """

    cache: Path
    public: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    homes: Mapping[str, Path] = field(default_factory=dict)
    mirror: Mirror | None = None

    def slot(self, scene: str, artefact: str, suffix: str = "") -> Slot:
        """Return where `artefact` of `scene` lies; `suffix` is that of a file artefact."""
        home = self.homes.get(artefact, self.cache) / scene
        manifest = home / f"{artefact}.manifest.json"
        mirror = self.mirror if self.mirror and self.mirror.url(manifest) else None
        if artefact in self.public:
            before, after = self.public[artefact]
            return Slot(Path(before + scene + after), manifest, mirror)
        return Slot(home / f"{artefact}{suffix}", manifest, mirror)


def output_layout(out: Path, mirror: Mirror | None = None) -> Layout:
    """Return the layout of `moseg run --out OUT`."""
    return Layout(
        cache=out / "cache",
        public={
            "masks": (f"{out}/masks/", ""),
            "overlay": (f"{out}/videos/", ".mp4"),
            "preview": (f"{out}/previews/", ".png"),
        },
        mirror=mirror,
    )
