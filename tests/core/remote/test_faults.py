"""The cache in a store when a run is stopped, or its process killed, at any operation."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from moseg.core import claims
from moseg.core.remote import store
from tests.core.remote.stored import artefacts, plain_run, run

pytest_plugins = ("tests.s3",)


@pytest.fixture(autouse=True)
def claims_are_given_up_soon(monkeypatch):
    """A stopped run is one of this process, which is alive: only age tells that it is over."""
    monkeypatch.setattr(claims, "STALE", 0.0)
    monkeypatch.setattr(claims, "BEAT", 1000.0)


class Stopped(BaseException):
    """Stands for the end of a process: nothing catches it."""


CHANGING = ("write", "delete", "upload", "create", "replace", "download")
"""Operations after which the store or the scratch disk are not what they were."""


def watch(monkeypatch, before):
    """Call `before` ahead of every operation that changes something, for each file uploaded.

    Only of the thread that runs: one that keeps a claim fresh, perhaps of an earlier run that was
    stopped, may come in between at any time.
    """
    runs = threading.current_thread()
    for name in CHANGING:
        real = getattr(store, name)

        def operation(*arguments, real=real, name=name, **options):
            if threading.current_thread() is not runs:
                return real(*arguments, **options)
            if name == "upload":
                url, files = arguments
                for each in files.items():
                    before()
                    real(url, dict([each]))
                return None
            before()
            return real(*arguments, **options)

        monkeypatch.setattr(store, name, operation)


def assert_whole(files):
    """What says that it is complete is there, every byte of it."""
    for name, content in files.items():
        if not name.endswith(".manifest.json"):
            continue
        manifest = json.loads(content)
        target = name.removesuffix(".manifest.json")
        if manifest["state"] == "complete":
            for part, stored in manifest["files"].items():
                place = f"{target}/{part}" if part else f"{target}.txt"
                assert hashlib.sha256(files[place]).hexdigest() == stored["sha256"], place


@pytest.mark.parametrize("earlier", [False, True])
def test_a_run_stopped_at_any_operation_is_resumed(
    mirror, other, video, tmp_path, monkeypatch, earlier
):
    """`earlier`: artefacts of other settings are replaced."""
    expected = plain_run(tmp_path / "plain", count=2)

    def attempt(out, stop_at):
        steps = 0

        def before():
            nonlocal steps
            steps += 1
            if steps == stop_at:
                raise Stopped

        with monkeypatch.context() as patch:
            watch(patch, before)
            try:
                run(mirror, video, out, count=2)
            except Stopped:
                return True
        return False

    stop_at, stopped = 1, True
    while stopped:
        out = f"out{stop_at}"
        if earlier:
            run(mirror, video, out)
        stopped = attempt(out, stop_at)
        assert_whole(artefacts(video, f"{out}/"))
        results, _ = run(mirror if stop_at % 2 else other, video, out, count=2)
        assert results[0].failure is None
        assert artefacts(video, f"{out}/") == expected
        stop_at += 1
    assert stop_at > 10


_KILLED = """
import os, signal, sys
from pathlib import Path
import s3fs
from moseg.core.remote import store
from moseg.core.remote.mirror import Mirror
import tests.core.remote.test_faults as toys

def run(scratch, out, kill_at):
    seen = 0
    def before():
        nonlocal seen
        seen += 1
        if seen == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
    import pytest
    toys.watch(pytest.MonkeyPatch(), before)
    bucket = type("Bucket", (), {"url": sys.argv[2]})
    toys.run(Mirror(scratch), bucket, out)
    os._exit(0)

kill_at = 1
while True:
    pid = os.fork()
    if pid == 0:
        run(Path(sys.argv[1]), f"out{kill_at}", kill_at)
    status = os.waitpid(pid, 0)[1]
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL, status
    kill_at += 1
print(kill_at)
"""


@pytest.mark.slow
def test_a_process_killed_at_any_change_of_the_store_leaves_what_can_be_resumed(
    mirror, video, tmp_path
):
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(mirror.root), video.url],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    last = int(done.stdout)
    assert last > 8
    expected = plain_run(tmp_path / "plain")
    for kill_at in range(1, last + 1):
        assert_whole(artefacts(video, f"out{kill_at}/"))
        results, computed = run(mirror, video, f"out{kill_at}")
        assert results[0].failure is None
        # The last change of all gives the claim back: everything is there by then.
        assert bool(computed) == (kill_at < last - 1)
        assert artefacts(video, f"out{kill_at}/") == expected
    copies = [path.name for path in mirror.copies.rglob("*")]
    assert not [name for name in copies if "partial" in name]
