"""A real S3 server: small and large objects, odd names, and what it says in one line."""

from __future__ import annotations

import random
import sys

import pytest
import s3fs
from moto import settings
from moto.core.responses import ActionAuthenticatorMixin

from moseg.core.errors import BackendError, MosegError
from moseg.core.execute import is_transient
from moseg.core.remote import artefacts as remote
from moseg.core.remote import store
from moseg.core.remote.store import StoreError, StoreUnreachable

pytest_plugins = ("tests.s3",)


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(BackendError, match="pip install"):
        store.read("s3://bucket/key")


def test_small_objects(bucket):
    url = f"{bucket.url}/a/b"
    assert store.read(url) is None
    assert store.tags(url) == {}
    store.write(url, b"x", seal="1")
    assert (store.read(url), store.tags(url)) == (b"x", {"seal": "1"})
    assert not store.create(url, b"y")
    assert store.create(f"{url}2", b"y")
    assert (store.read(url), store.read(f"{url}2")) == (b"x", b"y")


ODD = ("a [1]*?.png", "ü 日本", "50%41", "a+b", "#x", "q?x=1", "back\\slash")


def test_odd_names_are_taken_as_they_are(bucket, tmp_path):
    files = {name: tmp_path / str(i) for i, name in enumerate(ODD)}
    for name, path in files.items():
        path.write_text(name)
    store.upload(f"{bucket.url}/x", files)
    assert bucket.tree("x/") == {name: name.encode() for name in ODD}
    assert store.objects_below(f"{bucket.url}/x").keys() == set(ODD)
    assert store.entries_in(f"{bucket.url}/x").keys() == set(ODD)
    for name in ODD:
        assert store.read(f"{bucket.url}/x/{name}") == name.encode()
    again = {name: tmp_path / "again" / str(i) for i, name in enumerate(ODD)}
    store.download(f"{bucket.url}/x", again)
    assert [path.read_text() for path in again.values()] == list(ODD)
    store.delete(f"{bucket.url}/x", ODD[:-1])
    assert bucket.tree("x/") == {ODD[-1]: ODD[-1].encode()}


def test_a_large_file_goes_in_pieces(bucket, tmp_path, monkeypatch):
    monkeypatch.setitem(store._COPYING, "chunksize", 5 * 2**20)
    content = random.Random(0).randbytes(11 * 2**20)
    (tmp_path / "a").write_bytes(content)
    store.upload(bucket.url, {"a": tmp_path / "a"})
    assert "-" in store.objects_below(bucket.url)["a"].etag
    store.download(bucket.url, {"a": tmp_path / "again"})
    assert (tmp_path / "again").read_bytes() == content


def test_only_what_lies_below_is_listed(bucket):
    for key in ("a/1", "a/b/2", "a.txt", "ab/3", "a/c/"):
        bucket.put(key, "x")
    assert store.objects_below(f"{bucket.url}/a").keys() == {"1", "b/2"}
    assert store.objects_below(f"{bucket.url}/a.txt").keys() == {""}
    assert store.objects_below(f"{bucket.url}/gone") == {}
    found = store.entries_in(f"{bucket.url}/a")
    assert {name: stored is None for name, stored in found.items()} == {
        "1": False,
        "b": True,
        "c": True,
    }
    assert store.entries_in(f"{bucket.url}/a.txt").keys() == {""}
    assert store.entries_in(f"{bucket.url}/gone") == {}
    assert store.entries_in(bucket.url).keys() == {"a", "a.txt", "ab"}


def test_more_objects_are_deleted_than_one_request_takes(bucket, monkeypatch):
    monkeypatch.setattr(store, "_MOST_DELETED", 10)
    for i in range(25):
        bucket.put(f"x/{i}", "")
    names = store.objects_below(f"{bucket.url}/x").keys()
    assert len(names) == 25
    store.delete(f"{bucket.url}/x", names)
    assert bucket.tree() == {}


def asks(url, tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    return [
        lambda: store.read(f"{url}/a"),
        lambda: store.write(f"{url}/a", b""),
        lambda: store.create(f"{url}/a", b""),
        lambda: store.entries_in(f"{url}/a"),
        lambda: store.objects_below(f"{url}/a"),
        lambda: store.upload(f"{url}/a", {"b": path}),
        lambda: store.download(f"{url}/a", {"b": path}),
        lambda: store.delete(f"{url}/a", ["b"]),
    ]


def test_no_such_bucket_is_one_line(s3_endpoint, tmp_path):
    for ask in asks("s3://no-such-bucket", tmp_path):
        with pytest.raises(MosegError, match=r"s3://no-such-bucket.* there is no such bucket"):
            ask()
    with pytest.raises(MosegError, match="no name that a store takes"):
        store.read("s3://a b/c")


@pytest.fixture
def locked_out(bucket, monkeypatch):
    """From now on the server wants to know who asks, and knows nobody."""
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0.0)
    monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)
    return bucket


def test_a_place_that_can_be_written(mirror, bucket):
    remote.check_writable(mirror, mirror.path(f"{bucket.url}/out"))
    assert bucket.tree() == {}


def test_no_permission_is_one_line(locked_out, mirror, tmp_path):
    with pytest.raises(MosegError, match=f"{locked_out.url}/out"):
        remote.check_writable(mirror, mirror.path(f"{locked_out.url}/out"))
    for ask in asks(locked_out.url, tmp_path):
        with pytest.raises(MosegError, match=r"no permission.*check the credentials") as caught:
            ask()
        assert locked_out.url in str(caught.value)


@pytest.mark.usefixtures("fresh_client")
def test_a_store_that_is_away_is_one_line_and_may_be_tried_again(
    s3_endpoint, monkeypatch, tmp_path
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for ask in asks("s3://bucket", tmp_path):
        with pytest.raises(StoreUnreachable, match=r"s3://bucket/a: the store does not answer"):
            ask()
    assert is_transient(StoreUnreachable("away"))
    assert not is_transient(StoreError("no permission"))


@pytest.mark.usefixtures("fresh_client")
def test_no_credentials_is_one_line(s3_endpoint, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MosegError, match="set AWS_PROFILE"):
        store.write("s3://bucket/a", b"")


def test_an_error_of_the_disk_is_not_taken_for_one_of_the_store(bucket, tmp_path):
    bucket.put("a", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        store.download(bucket.url, {"a": tmp_path / "file" / "a"})
    assert s3fs.S3FileSystem().protocol  # the client still works
    assert store.read(f"{bucket.url}/a") == b"x"
