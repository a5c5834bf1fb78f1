"""Checkpoints come into the store whole and right, or not at all."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moseg.checkpoints.download import address, check_licence, download, take
from moseg.core.errors import BackendError, ConfigError, OutputError
from tests.checkpoints.files import checkpoint_bytes, entry, save_folder, store
from tests.checkpoints.server import Site, serving
from tests.limits import MOUNTING, can_mount, largest_file

ROOT = Path(__file__).parents[2]
DATA, OTHER = checkpoint_bytes(0), checkpoint_bytes(1)
CLOSED = {"name": "CC-BY-NC-4.0", "non_commercial": True, "url": "https://example.org/licence"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def nobody(done, total):
    """No progress is shown."""


@pytest.fixture
def site():
    with serving(Site(DATA)) as served:
        yield served


@pytest.fixture
def here(tmp_path, site):
    """An empty store whose one checkpoint is at the server."""
    return store(tmp_path / "store", entry(url=f"{site.url}/small_v1.pt"))


def small(here):
    return here.manifest.checkpoints[0]


def names(here):
    return sorted(path.name for path in here.folder.iterdir())


def test_a_download_is_there_whole_and_recorded(here):
    found = download(here, small(here), nobody)
    assert found.path == here.folder / "small_v1.pt"
    assert found.path.read_bytes() == DATA
    assert found.sha256 == sha256(DATA)
    assert here.digests.recorded("small_v1.pt") == sha256(DATA)
    assert names(here) == [".digests.lock", "digests.json", "small_v1.pt"]


def test_a_cut_download_goes_on(here, site):
    site.cut = 9000
    with pytest.raises(BackendError, match="cut at byte 9000"):
        download(here, small(here), nobody)
    assert not (here.folder / "small_v1.pt").exists()
    site.cut = None
    assert download(here, small(here), nobody).path.read_bytes() == DATA
    assert site.requests[1]["Range"] == "bytes=9000-"
    assert names(here) == [".digests.lock", "digests.json", "small_v1.pt"]


def test_nothing_is_left_of_a_file_that_is_not_there(here, site):
    site.status = 404
    with pytest.raises(BackendError, match="404"):
        download(here, small(here), nobody)
    assert names(here) == []


def test_a_file_other_than_the_published_one_is_thrown_away(tmp_path, site):
    known = entry(url=f"{site.url}/small_v1.pt", sha256=sha256(OTHER))
    here = store(tmp_path / "store", known)
    for trust in (False, True):
        with pytest.raises(BackendError, match="is not the file its authors published") as caught:
            download(here, known, nobody, trust=trust)
        assert str(caught.value).startswith(f"{site.url}/small_v1.pt ")
        assert names(here) == []
    site.data, site.etag = OTHER, '"two"'
    assert download(here, known, nobody).path.read_bytes() == OTHER


def test_a_file_other_than_the_one_first_seen_is_thrown_away_unless_trusted(here, site):
    download(here, small(here), nobody)
    (here.folder / "small_v1.pt").unlink()
    site.data = OTHER
    with pytest.raises(BackendError, match=r"first seen here .*; to take it all the same, add"):
        download(here, small(here), nobody)
    assert names(here) == [".digests.lock", "digests.json"]
    download(here, small(here), nobody, trust=True)
    assert here.checked("small").sha256 == sha256(OTHER)


def test_a_download_heals_a_file_that_was_changed(here):
    download(here, small(here), nobody)
    (here.folder / "small_v1.pt").write_bytes(OTHER)
    assert here.present(small(here)) is None
    download(here, small(here), nobody)
    assert here.present(small(here)).path.read_bytes() == DATA


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"<html>sorry</html>", "it is a web page"), (DATA[:-20], "the file is cut off")],
)
def test_what_is_no_checkpoint_is_not_kept_and_not_recorded(here, site, data, words):
    site.data = data
    with pytest.raises(BackendError, match=words) as caught:
        download(here, small(here), nobody)
    assert str(caught.value).startswith(f"{site.url}/small_v1.pt is no checkpoint")
    assert names(here) == []


def test_a_mirror_stands_in_for_the_address(tmp_path, site, monkeypatch):
    monkeypatch.setenv("MOSEG_CHECKPOINT_MIRROR", f"{site.url}/deep/")
    for url in ("http://127.0.0.1:9/small_v1.pt", None):
        here = store(tmp_path / str(url)[:4], entry(url=url))
        assert download(here, small(here), nobody).path.read_bytes() == DATA
    assert site.paths == ["/files/deep/small_v1.pt"] * 2


@pytest.mark.parametrize(
    "mirror", ["mirror.local", "file:///tmp", "ftp://m", "http://", "http://m/?a=b"]
)
def test_a_mirror_is_the_address_of_a_folder(monkeypatch, mirror):
    monkeypatch.setenv("MOSEG_CHECKPOINT_MIRROR", mirror)
    with pytest.raises(ConfigError, match="not the http"):
        address(entry())


def test_a_mirror_that_no_url_can_be_made_of_is_told(here, monkeypatch):
    monkeypatch.setenv("MOSEG_CHECKPOINT_MIRROR", "http://[half")
    with pytest.raises(BackendError, match="no answer from the server"):
        download(here, small(here), nobody)


def test_what_has_no_address_is_to_be_fetched_by_hand():
    with pytest.raises(BackendError, match=r"fetch small_v1\.pt by hand"):
        address(entry(url=None))


def test_a_licence_that_forbids_commercial_use_has_to_be_accepted():
    check_licence(entry(), False)
    check_licence(entry(licence=CLOSED), True)
    with pytest.raises(ConfigError) as caught:
        check_licence(entry(licence=CLOSED), False)
    line = str(caught.value)
    assert "licence CC-BY-NC-4.0, not for commercial use (https://example.org/licence)" in line
    assert line.endswith("moseg checkpoints download small --accept-licence")


PROGRAM = """
import sys
from pathlib import Path
from moseg.checkpoints.download import download
from tests.checkpoints.files import entry, store
small = entry(url=sys.argv[2])
print(download(store(Path(sys.argv[1]), small), small, lambda *_: None).sha256)
assert "torch" not in sys.modules
"""


def start(here):
    command = [sys.executable, "-c", PROGRAM, str(here.folder), small(here).url]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=variables, stdout=pipe, stderr=pipe, text=True)


def wait_for_bytes(path, count):
    end = time.monotonic() + 60
    while not path.exists() or path.stat().st_size < count:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_download_goes_on(here, site):
    site.data, site.pause = checkpoint_bytes(0, 60_000), 0.005
    partial = here.folder / ".small_v1.pt.partial"
    process = start(here)
    wait_for_bytes(partial, 50_000)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    held = partial.stat().st_size
    site.pause = 0.0
    said, _ = start(here).communicate(timeout=60)
    assert said.strip() == sha256(site.data)
    assert site.requests[1]["Range"] == f"bytes={held}-"
    assert (here.folder / "small_v1.pt").read_bytes() == site.data


@pytest.mark.slow
def test_two_processes_do_not_write_the_same_file(here, site):
    site.data, site.pause = checkpoint_bytes(0, 60_000), 0.005
    process = start(here)
    wait_for_bytes(here.folder / ".small_v1.pt.partial", 10_000)
    with pytest.raises(BackendError, match="is being written by another process"):
        download(here, small(here), nobody)
    assert process.communicate(timeout=60)[0].strip() == sha256(site.data)


@pytest.mark.slow
def test_a_full_disk_is_told_and_what_came_is_kept(here, site):
    if not can_mount():
        pytest.skip("nothing can be mounted here")
    here.folder.mkdir()
    site.data = checkpoint_bytes(0, 100_000)
    script = (
        'mount -t tmpfs -o size=100k tmpfs "$1" && "$2" -c "$3" "$1" "$4"; '
        'code=$?; stat -c %s "$1/.small_v1.pt.partial"; exit $code'
    )
    words = [here.folder, sys.executable, PROGRAM, small(here).url]
    command = [*MOUNTING, "sh", "-c", script, "sh", *map(str, words)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "OutputError" in done.stderr
    assert "the disk is full" in done.stderr
    assert 50_000 < int(done.stdout) <= 102_400


def test_a_file_the_user_has_is_copied_under_its_right_name(tmp_path):
    given, here = tmp_path / "downloaded (1).pth", store(tmp_path / "store")
    given.write_bytes(DATA)
    told = []
    found = take(here, small(here), given, lambda *p: told.append(p))
    assert found.path == here.folder / "small_v1.pt"
    assert found.path.read_bytes() == given.read_bytes() == DATA
    assert told == [(len(DATA), len(DATA))]
    assert here.checked("small").sha256 == sha256(DATA)
    assert names(here) == [".digests.lock", "digests.json", "small_v1.pt"]


def test_a_converted_file_keeps_its_form(tmp_path):
    from safetensors.torch import save

    given, here = tmp_path / "x.bin", store(tmp_path / "store")
    given.write_bytes(save({}, metadata={"causal": "true"}))
    assert take(here, small(here), given, nobody).path == here.folder / "small.safetensors"


def test_a_folder_is_copied_with_what_makes_the_network(tmp_path):
    given, here = save_folder(tmp_path / "model"), store(tmp_path / "store")
    (given / "pytorch_model.bin").write_bytes(b"not needed")
    found = take(here, small(here), given, nobody)
    assert found.path == here.folder / "small"
    assert sorted(p.name for p in found.path.iterdir()) == ["config.json", "model.safetensors"]
    assert here.digests.of(given) == found.sha256
    assert names(here) == [".digests.lock", "digests.json", "small"]


def test_a_changed_folder_is_replaced(tmp_path):
    given, here = save_folder(tmp_path / "model"), store(tmp_path / "store")
    take(here, small(here), given, nobody)
    (here.folder / "small/config.json").write_text("{}")
    (here.folder / "small/stray.txt").write_text("")
    take(here, small(here), given, nobody)
    assert here.present(small(here)) is not None
    assert not (here.folder / "small/stray.txt").exists()


@pytest.mark.parametrize("form", ["file", "folder"])
def test_a_wrong_file_from_the_user_leaves_what_was_there(tmp_path, form):
    here = store(tmp_path / "store")
    first, second = tmp_path / "first", tmp_path / "second"
    if form == "file":
        first.write_bytes(DATA)
        second.write_bytes(OTHER)
    else:
        save_folder(first, 0)
        save_folder(second, 1)
    found = take(here, small(here), first, nobody)
    with pytest.raises(BackendError, match="first seen here") as caught:
        take(here, small(here), second, nobody)
    assert str(caught.value).startswith(f"{second} is not the file")
    assert here.present(small(here)) == found
    assert len(names(here)) == 3
    trusted = take(here, small(here), second, nobody, trust=True)
    assert here.present(small(here)) == trusted
    assert trusted.sha256 != found.sha256


@pytest.mark.parametrize("what", ["nothing", "a text", "an empty folder"])
def test_what_is_no_checkpoint_is_not_taken(tmp_path, what):
    given, here = tmp_path / "given", store(tmp_path / "store")
    if what == "a text":
        given.write_text("hello")
    elif what == "an empty folder":
        given.mkdir()
    with pytest.raises(BackendError, match="given"):
        take(here, small(here), given, nobody)
    assert not here.folder.exists()


def test_a_copy_that_cannot_be_written_leaves_nothing(tmp_path):
    given, here = tmp_path / "given", store(tmp_path / "store")
    given.write_bytes(DATA)
    with largest_file(10_000), pytest.raises(OutputError, match=r"small_v1\.pt: the file grows"):
        take(here, small(here), given, nobody)
    assert names(here) == []


def test_a_store_that_cannot_be_made_is_told(tmp_path, site):
    (tmp_path / "file").write_text("")
    here = store(tmp_path / "file/store", entry(url=f"{site.url}/small_v1.pt"))
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        download(here, small(here), nobody)
