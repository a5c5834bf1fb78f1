"""Digests: right, computed once, noticed when a file changes, safe with several processes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moseg.checkpoints.digests import Digests
from moseg.core.errors import BackendError
from tests.checkpoints.files import save_folder
from tests.limits import without_privileges

LONG_AGO = 1_600_000_000


def old_file(path, data=b"weights"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def book(folder):
    return json.loads((folder / "digests.json").read_text())


def test_a_file_has_its_sha256(tmp_path):
    path = old_file(tmp_path / "a.pt")
    assert Digests(tmp_path).of(path) == hashlib.sha256(b"weights").hexdigest()


def test_a_file_is_read_once(tmp_path):
    path, digests = old_file(tmp_path / "a.pt"), Digests(tmp_path)
    first = digests.of(path)
    path.write_bytes(b"WEIGHTS")
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert Digests(tmp_path).of(path) == first, "same size and time: not read again"
    assert digests.of(path, fresh=True) == hashlib.sha256(b"WEIGHTS").hexdigest()


@pytest.mark.parametrize(("data", "later"), [(b"WEIGHTS", 1), (b"longer than before", 0)])
def test_another_time_or_size_is_noticed(tmp_path, data, later):
    path, digests = old_file(tmp_path / "a.pt"), Digests(tmp_path)
    digests.of(path)
    path.write_bytes(data)
    os.utime(path, (LONG_AGO + later, LONG_AGO + later))
    assert digests.of(path) == hashlib.sha256(data).hexdigest()


def test_a_file_written_just_now_is_not_taken_for_the_one_of_a_moment_ago(tmp_path):
    path, digests = tmp_path / "a.pt", Digests(tmp_path)
    now = time.time_ns()
    for data in (b"one", b"two", b"six", b"ten"):
        path.write_bytes(data)
        os.utime(path, ns=(now, now))  # as a file system with a coarse clock would have it
        assert digests.of(path) == hashlib.sha256(data).hexdigest()


def test_a_folder_is_all_that_makes_the_network(tmp_path):
    folder, digests = save_folder(tmp_path / "model"), Digests(tmp_path)
    first = digests.of(folder)
    (folder / "README.md").write_text("of no weight")
    assert digests.of(folder) == first
    (folder / "config.json").write_text('{"model_type": "other"}')
    second = digests.of(folder)
    assert second != first
    (folder / "model.safetensors").rename(folder / "weights.safetensors")
    assert digests.of(folder) not in (first, second)
    assert digests.of(save_folder(tmp_path / "copy")) == first, "wherever it lies"


def test_a_folder_without_weights_has_no_digest(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackendError, match=r"empty holds no checkpoint"):
        Digests(tmp_path).of(tmp_path / "empty")


def test_what_is_recorded_stays(tmp_path):
    Digests(tmp_path).record("a.pt", "12")
    Digests(tmp_path).of(old_file(tmp_path / "b.pt"))
    assert Digests(tmp_path).recorded("a.pt") == "12"
    assert Digests(tmp_path).recorded("b.pt") is None


def test_files_that_are_gone_are_forgotten(tmp_path):
    digests = Digests(tmp_path)
    digests.of(old_file(tmp_path / "a.pt"))
    (tmp_path / "a.pt").unlink()
    digests.of(old_file(tmp_path / "b.pt"))
    assert list(book(tmp_path)["files"]) == [str(tmp_path / "b.pt")]


def test_a_store_that_is_not_there_is_no_problem(tmp_path):
    path = old_file(tmp_path / "a.pt")
    assert Digests(tmp_path / "no/where").of(path) == hashlib.sha256(b"weights").hexdigest()
    assert not (tmp_path / "no").exists()


def test_damaged_records_are_not_silently_dropped(tmp_path):
    path = old_file(tmp_path / "a.pt")
    for text in ("{", "[]", '{"files": {}, "recorded": 3}'):
        (tmp_path / "digests.json").write_text(text)
        with pytest.raises(BackendError, match=r"digests.json is damaged; delete it") as caught:
            Digests(tmp_path).of(path)
        assert "\n" not in str(caught.value)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = old_file(tmp_path / "a.pt")
    real = hashlib.file_digest

    def slow(file, name):
        digest = real(file, name)
        with path.open("ab") as writing:
            writing.write(b"more")
        return digest

    monkeypatch.setattr(hashlib, "file_digest", slow)
    with pytest.raises(BackendError, match="is being written at this moment"):
        Digests(tmp_path).of(path)


def _record_many(folder, worker):
    digests = Digests(Path(folder))
    for i in range(20):
        digests.record(f"{worker}-{i}", "12")
        digests.of(Path(folder) / f"{worker}.pt")


def test_several_processes_lose_nothing(tmp_path):
    for worker in range(4):
        old_file(tmp_path / f"{worker}.pt", bytes([worker]))
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_record_many, args=(tmp_path, w)) for w in range(4)]
    for process in workers:
        process.start()
    for process in workers:
        process.join()
        assert process.exitcode == 0
    found = book(tmp_path)
    assert set(found["recorded"]) == {f"{w}-{i}" for w in range(4) for i in range(20)}
    assert len(found["files"]) == 4


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_read(tmp_path):
    prefix = without_privileges()
    if prefix is None:
        pytest.skip("nothing here is bound by file permissions")
    store = tmp_path / "store"
    path = old_file(store / "a.pt")
    Digests(store).record("a.pt", "12")
    before = (store / "digests.json").read_bytes()
    store.chmod(0o555)
    code = (
        "import sys; from pathlib import Path; from moseg.checkpoints.digests import Digests;"
        "d = Digests(Path(sys.argv[1]).parent); print(d.of(Path(sys.argv[1])));"
        "d.record('a.pt', '34'); print(d.recorded('a.pt'))"
    )
    try:
        done = subprocess.run(
            [*prefix, sys.executable, "-c", code, str(path)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    finally:
        store.chmod(0o755)
    assert done.stdout.split() == [hashlib.sha256(b"weights").hexdigest(), "12"]
    assert (store / "digests.json").read_bytes() == before
