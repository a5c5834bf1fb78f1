"""The limit of the scratch folder, and who holds what in it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time

import pytest

from moseg.core.desk import desk
from moseg.core.remote import scratch as scratch_space
from moseg.core.remote.mirror import Mirror
from moseg.core.remote.scratch import Copy, hold, make_room


@pytest.fixture
def mirror(tmp_path):
    return Mirror(tmp_path / "scratch")


def add(mirror, name, size):
    """Put a copy of `size` bytes there, last used now."""
    target = mirror.copies / "b" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(bytes(size))
    with hold(mirror, target, alone=True) as held:
        held.write(Copy((f"b/{name}",), size))
    time.sleep(0.01)
    return target


def names(mirror):
    return {path.name for path in (mirror.copies / "b").iterdir()}


def test_copies_not_used_for_longest_go_first(mirror):
    mirror = Mirror(mirror.root, limit=100)
    paths = [add(mirror, name, 40) for name in "abc"]
    with hold(mirror, paths[0], alone=False):
        pass
    time.sleep(0.01)
    make_room(mirror)
    assert names(mirror) == {"a", "c"}
    make_room(mirror, 20)
    assert names(mirror) == {"a", "c"}
    make_room(mirror, 21)
    assert names(mirror) == {"a"}
    assert len(list((mirror.root / "notes").iterdir())) == 1


def test_a_copy_in_use_by_any_process_stays(mirror):
    mirror = Mirror(mirror.root, limit=0)
    for name in "abc":
        add(mirror, name, 10)
    code = (
        "import sys; from pathlib import Path; from moseg.core.remote.mirror import Mirror\n"
        "from moseg.core.remote.scratch import hold\n"
        "mirror = Mirror(Path(sys.argv[1]))\n"
        "with hold(mirror, mirror.copies / 'b/b', alone=False):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(mirror.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with hold(mirror, mirror.copies / "b/a", alone=False):
            make_room(mirror)
            assert names(mirror) == {"a", "b"}
        holder.kill()
    make_room(mirror)
    assert names(mirror) == set()


def test_a_copy_that_has_to_stay_is_not_counted_as_room(mirror):
    mirror = Mirror(mirror.root, limit=20)
    with hold(mirror, add(mirror, "a", 10), alone=False):
        for name in "bc":
            add(mirror, name, 10)
        make_room(mirror)
        assert names(mirror) == {"a", "c"}


def test_what_dead_processes_left_beside_a_copy_goes_with_it(mirror):
    mirror = Mirror(mirror.root, limit=0)
    target = add(mirror, "a", 10)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with desk(target) as place:
        left = place.with_name(place.name.replace(f".{os.getpid()}.", f".{dead.pid}."))
    left.mkdir()
    make_room(mirror)
    assert names(mirror) == set()


def test_a_note_that_was_cut_off_is_no_harm(mirror):
    mirror = Mirror(mirror.root, limit=0)
    add(mirror, "a", 10)
    note = next((mirror.root / "notes").iterdir())
    note.write_text('{"paths"')
    add(mirror, "b", 10)
    make_room(mirror)
    assert names(mirror) == {"a"}
    add(mirror, "a", 10)
    make_room(mirror)
    assert names(mirror) == set()


def test_who_waited_for_a_copy_that_was_removed_holds_the_new_one(mirror, monkeypatch):
    target = add(mirror, "a", 10)
    waiting, real, held = threading.Event(), fcntl.flock, []

    def flock(stream, kind):
        if threading.current_thread() is not threading.main_thread():
            waiting.set()
        real(stream, kind)

    def wait():
        with hold(mirror, target, alone=False) as copy:
            held.append(copy.read())
            held.append(len(list((mirror.root / "notes").iterdir())))

    monkeypatch.setattr(scratch_space.fcntl, "flock", flock)
    with hold(mirror, target, alone=True):
        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(10)
        next((mirror.root / "notes").iterdir()).unlink()
    thread.join()
    assert held == [Copy(), 1]
