"""Copies of inputs that lie in a store."""

from __future__ import annotations

import time

import pytest

from moseg.core.errors import InputError
from moseg.core.fingerprint import fingerprint
from moseg.core.remote import source as remote_source
from moseg.core.remote import store
from moseg.core.remote.mirror import Mirror
from moseg.core.remote.source import source_at_hand
from moseg.core.scene import Scene

pytest_plugins = ("tests.s3",)


@pytest.fixture
def fetched(monkeypatch):
    """The names of all files that were downloaded."""
    files, real = [], store.download

    def download(url, wanted):
        files.extend(wanted)
        real(url, wanted)

    monkeypatch.setattr(remote_source.store, "download", download)
    return files


def copied(scene):
    with source_at_hand(scene):
        if scene.kind == "video":
            return scene.source.read_bytes()
        return {path.name: path.read_bytes() for path in scene.source.iterdir()}


def test_a_video_is_copied_once_and_again_when_it_changes(mirror, bucket, fetched):
    scene = Scene("a", mirror.path(bucket.put("in/a.mp4", "one")), "video", mirror)
    assert copied(scene) == b"one"
    assert copied(scene) == b"one"
    assert fetched == [""]
    bucket.put("in/a.mp4", "two")  # of the same size
    assert copied(scene) == b"two"
    assert fetched == ["", ""]


def test_only_the_images_that_changed_are_copied(mirror, bucket, fetched):
    for name in ("1.png", "2.JPG", "10.png", ".hidden.png", "notes.txt", "sub/3.png"):
        bucket.put(f"in/a/{name}", name)
    bucket.put("in/a/", "")
    scene = Scene("a", mirror.path(f"{bucket.url}/in/a"), "images", mirror)
    assert copied(scene) == {name: name.encode() for name in ("1.png", "2.JPG", "10.png")}
    first = fingerprint(scene)
    fetched.clear()
    bucket.put("in/a/1.png", "new")
    bucket.put("in/a/4.png", "4")
    bucket.delete("in/a/10.png")
    (scene.source / "2.JPG").unlink()
    assert copied(scene) == {"1.png": b"new", "2.JPG": b"2.JPG", "4.png": b"4"}
    assert sorted(fetched) == ["1.png", "2.JPG", "4.png"]
    assert fingerprint(scene) != first


def test_what_is_wrong_with_a_source_is_told_by_its_url(mirror, bucket):
    scene = Scene("a", mirror.path(bucket.put("in/a.mp4", "one")), "video", mirror)
    with pytest.raises(InputError) as caught, source_at_hand(scene):
        raise InputError(f"{scene.source} holds no video")
    assert str(caught.value) == f"{bucket.url}/in/a.mp4 holds no video"


def test_room_is_made_for_a_copy(mirror, bucket):
    mirror = Mirror(mirror.root, limit=25)
    scenes = [
        Scene(name, mirror.path(bucket.put(f"{name}.mp4", name * 10)), "video", mirror)
        for name in "abc"
    ]
    for scene in scenes:
        copied(scene)
        time.sleep(0.01)
    assert [scene.source.exists() for scene in scenes] == [False, True, True]
    with source_at_hand(scenes[1]), source_at_hand(scenes[2]), source_at_hand(scenes[0]):
        assert all(scene.source.exists() for scene in scenes)


@pytest.mark.parametrize("content", ["two", "longer"])
def test_a_source_that_changes_while_it_is_copied_is_refused(mirror, bucket, monkeypatch, content):
    scene = Scene("a", mirror.path(bucket.put("in/a.mp4", "one")), "video", mirror)
    real = store.download

    def download(url, wanted):
        bucket.put("in/a.mp4", content)
        real(url, wanted)

    monkeypatch.setattr(remote_source.store, "download", download)
    with pytest.raises(InputError, match=f"{scene.place} was changed while it was read"):
        copied(scene)
    monkeypatch.setattr(remote_source.store, "download", real)
    bucket.put("in/a.mp4", "one")  # again what it was when the copy was begun
    assert copied(scene) == b"one"


def test_a_source_that_is_gone_is_an_input_error(mirror, bucket):
    for kind in ("video", "images"):
        scene = Scene("a", mirror.path(f"{bucket.url}/in/a"), kind, mirror)
        with pytest.raises(InputError, match=f"{bucket.url}/in/a: the store has no such"):
            copied(scene)
