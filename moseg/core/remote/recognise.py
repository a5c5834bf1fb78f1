"""The fingerprint of an input in a store, without copying the input once it is known.

The first run that reads the input leaves `.<scene>.source` in the cache: the input's names, sizes
and ETags, as a digest, and its fingerprint. As long as the store says the same of the input, a
later run anywhere need not read it to find out that there is nothing to do.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from moseg.core.cache import write_atomically
from moseg.core.fingerprint import fingerprint
from moseg.core.layout import Layout
from moseg.core.remote import store
from moseg.core.remote.source import source_at_hand, source_objects
from moseg.core.scene import Scene


def recognise(scene: Scene, layout: Layout) -> Scene:
    """Return a scene whose fingerprint is known if its source lies in a store.

    Raises:
        InputError: there is no such source, or it cannot be read.
        StoreError: the store refuses or is away.
        OutputError: the scratch disk or the cache cannot be written.
    """
    if scene.mirror is None:
        return scene
    seen = _digest(scene)
    memo = layout.cache / f".{scene.name}.source"
    known = _read(layout, memo)
    if known.get("seen") == seen and known.get("fingerprint"):
        return replace(scene, fingerprint=str(known["fingerprint"]))
    with source_at_hand(scene):
        found = fingerprint(scene)
    if _digest(scene) == seen:
        _write(layout, memo, {"seen": seen, "fingerprint": found})
    return replace(scene, fingerprint=found)


def _digest(scene: Scene) -> str:
    objects = source_objects(scene)
    lines = [f"{name}\0{objects[name].size}\0{objects[name].etag}" for name in sorted(objects)]
    return hashlib.sha256("\n".join([scene.place, *lines]).encode()).hexdigest()


def _read(layout: Layout, memo: Path) -> dict[str, str]:
    url = layout.mirror.url(memo) if layout.mirror else None
    try:
        content = memo.read_bytes() if url is None else store.read(url)
        known = json.loads(content or b"{}")
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(layout: Layout, memo: Path, known: dict[str, str]) -> None:
    content = json.dumps(known)
    url = layout.mirror.url(memo) if layout.mirror else None
    if url is None:
        write_atomically(memo, content)
    else:
        store.write(url, content.encode())
