"""The content identity of a scene."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from moseg.core.errors import InputError
from moseg.core.fingerprint import fingerprint
from moseg.core.scene import Scene


def _folder(path: Path, **files: bytes) -> Scene:
    path.mkdir()
    for stem, data in files.items():
        (path / f"{stem}.png").write_bytes(data)
    return Scene(path.name, path, "images")


def test_of_a_video_is_that_of_its_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    first, second = tmp_path / "a.mp4", tmp_path / "b.mp4"
    first.write_bytes(data)
    second.write_bytes(data)
    os.utime(second, (0, 0))
    assert fingerprint(Scene("a", first, "video")) == hashlib.sha256(data).hexdigest()
    assert fingerprint(Scene("a", first, "video")) == fingerprint(Scene("b", second, "video"))
    second.write_bytes(data[:-1] + b"!")
    assert fingerprint(Scene("a", first, "video")) != fingerprint(Scene("b", second, "video"))


def test_of_images_is_that_of_names_and_bytes(tmp_path: Path) -> None:
    base = fingerprint(_folder(tmp_path / "base", a=b"1", b=b"2"))
    same = _folder(tmp_path / "same", b=b"2", a=b"1")
    (same.source / "readme.txt").write_text("not an image")
    (same.source / ".a.png").write_text("hidden")
    assert fingerprint(same) == base
    others = [
        _folder(tmp_path / "renamed", a=b"1", c=b"2"),
        _folder(tmp_path / "swapped", a=b"2", b=b"1"),
        _folder(tmp_path / "changed", a=b"1", b=b"3"),
        _folder(tmp_path / "moved", a=b"12", b=b""),
        _folder(tmp_path / "fewer", a=b"1"),
        _folder(tmp_path / "more", a=b"1", b=b"2", c=b""),
    ]
    prints = {fingerprint(scene) for scene in others}
    assert len(prints) == len(others)
    assert base not in prints


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone.mp4 cannot be read"):
        fingerprint(Scene("gone", tmp_path / "gone.mp4", "video"))
    with pytest.raises(InputError, match="cannot be listed"):
        fingerprint(Scene("gone", tmp_path / "gone", "images"))
    scene = _folder(tmp_path / "x", a=b"1")
    (scene.source / "b.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"b.png cannot be read"):
        fingerprint(scene)
