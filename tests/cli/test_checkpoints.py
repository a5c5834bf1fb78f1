"""`moseg checkpoints`: what a person types, sees, and gets as exit code."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from moseg.checkpoints.manifest import known_checkpoints
from tests.checkpoints.files import checkpoint_bytes
from tests.checkpoints.official import official_file
from tests.checkpoints.server import Site, serving
from tests.cli.commands import moseg, moseg_alone

DATA = checkpoint_bytes()
TAPIR = "tapir_checkpoint_panning.pt"


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """The folder of checkpoints."""
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path / "store"))
    monkeypatch.delenv("MOSEG_CHECKPOINT_MIRROR", raising=False)
    return tmp_path / "store"


@pytest.fixture
def site(monkeypatch):
    """A mirror of all checkpoints; they are all the same."""
    with serving(Site(DATA)) as served:
        monkeypatch.setenv("MOSEG_CHECKPOINT_MIRROR", served.url)
        yield served


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """An official file of a track classifier, under a name of the user's."""
    return official_file(tmp_path_factory.mktemp("given") / "mine.pth", "track_classifier")


def checkpoints(*words):
    return moseg("checkpoints", *words)


def test_without_a_command_there_is_help():
    done = checkpoints()
    assert (done.code, done.err) == (0, "")
    for command in ("list", "download", "verify", "convert", "path"):
        assert command in done.out


def test_the_list_shows_all_and_what_is_here(store):
    store.mkdir()
    (store / TAPIR).write_bytes(DATA)
    done = checkpoints("list")
    assert done.code == 0
    lines = done.out.splitlines()
    entries = known_checkpoints().checkpoints
    assert [line.split()[0] for line in lines[1 : len(entries) + 1]] == [e.name for e in entries]
    told = [line for line in lines if not line.startswith("folder: ")]
    assert max(map(len, told)) <= 80, "a plain terminal shows each in one line"
    here = [line.split()[0] for line in lines if line.rstrip().endswith(" yes")]
    assert here == ["tapir"]
    large = next(line for line in lines if line.startswith("depth-anything-v2-large"))
    assert re.search(r"1341 MB +CC-BY-NC-4\.0\*", large)
    assert "* not for commercial use: needs --accept-licence" in lines
    assert lines[-1] == f"folder: {store}"


def test_the_path_of_one_that_is_missing_is_the_command_that_brings_it(store):
    done = checkpoints("path", "tapir")
    assert (done.code, done.out) == (2, "")
    assert done.one_line.endswith("run: moseg checkpoints download tapir")


def test_the_path_is_printed_alone(store):
    store.mkdir()
    (store / TAPIR).write_bytes(DATA)
    done = checkpoints("path", "tapir")
    assert (done.code, done.out, done.err) == (0, f"{store / TAPIR}\n", "")


@pytest.mark.parametrize("command", ["path", "download"])
def test_an_unknown_name_is_an_error_with_a_hint(command):
    done = checkpoints(command, "bootstapr")
    assert done.code == 2
    assert "did you mean bootstapir" in done.one_line


def test_a_download_from_a_mirror(site, store):
    done = checkpoints("download", "tapir", "dinov2-vits14")
    assert done.code == 0
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["tapir", "dinov2-vits14"]
    assert f"tapir: {store / TAPIR}, sha256 " in done.out
    assert (store / TAPIR).read_bytes() == DATA
    assert "tapir: licence Apache-2.0 (https://" in done.err
    assert re.search(r"tapir: 0\.0 of 0\.0 MB", done.err), "progress"
    assert site.paths == [f"/files/{TAPIR}", "/files/dinov2_vits14_pretrain.pth"]


def test_what_is_here_is_not_fetched_again(site):
    checkpoints("download", "tapir")
    done = checkpoints("download", "tapir")
    assert done.code == 0
    assert done.out.startswith("tapir: already here, ")
    assert len(site.requests) == 1


def test_one_that_fails_does_not_stop_the_others(site, store):
    (store / TAPIR).mkdir(parents=True)
    done = checkpoints("download", "tapir", "bootstapir")
    assert done.code == 2
    assert len(done.errors) == 1
    assert "tapir_checkpoint_panning.pt" in done.errors[0]
    assert (store / "bootstapir_checkpoint_v2.pt").read_bytes() == DATA


def test_a_cut_download_is_one_line_and_goes_on(site, store):
    site.cut = 9000
    done = checkpoints("download", "tapir")
    assert done.code == 2
    assert len(done.errors) == 1
    assert "run the same command again" in done.errors[0]
    site.cut = None
    assert checkpoints("download", "tapir").code == 0
    assert site.requests[1]["Range"] == "bytes=9000-"
    assert (store / TAPIR).read_bytes() == DATA


def test_a_licence_comes_before_any_byte(site, store):
    done = checkpoints("download", "tapir", "depth-anything-v2-large")
    assert done.code == 2
    assert "licence CC-BY-NC-4.0, not for commercial use (https://" in done.one_line
    command = "moseg checkpoints download depth-anything-v2-large --accept-licence"
    assert done.one_line.endswith(command)
    assert site.requests == []
    assert not store.exists()
    done = checkpoints("download", "depth-anything-v2-large", "--accept-licence")
    assert done.code == 0
    assert done.err.splitlines()[0].startswith("depth-anything-v2-large: licence CC-BY-NC-4.0, not")


def test_what_has_no_address_is_fetched_by_hand(store, classifier):
    done = checkpoints("download", "moseg", "--accept-licence")
    assert done.code == 2
    assert done.errors[0].endswith("moseg checkpoints download moseg --accept-licence --from FILE")
    done = checkpoints("download", "moseg", "--accept-licence", "--from", classifier)
    assert done.code == 0
    assert (store / "moseg.pth").read_bytes() == classifier.read_bytes()


def test_one_file_is_not_for_two_checkpoints(classifier):
    done = checkpoints("download", "tapir", "bootstapir", "--from", classifier)
    assert done.code == 2
    assert "--from gives one checkpoint" in done.one_line


def test_a_file_that_is_not_there_is_told(tmp_path):
    done = checkpoints("download", "tapir", "--from", tmp_path / "gone.pt")
    assert done.code == 2
    assert len(done.errors) == 1
    assert "gone.pt cannot be read" in done.errors[0]


def test_verifying_all_that_is_here(store, classifier):
    done = checkpoints("verify")
    assert done.code == 2
    assert "no checkpoint is in" in done.one_line
    store.mkdir()
    (store / "moseg.pth").write_bytes(classifier.read_bytes())
    (store / TAPIR).write_bytes(DATA)
    done = checkpoints("verify")
    assert done.code == 2
    assert "tapir_checkpoint_panning.pt is a checkpoint of no network" in done.one_line
    assert done.out.startswith("moseg: fits its network, 200 tensors, 3443809 values, sha256 ")


def test_verifying_a_path(classifier):
    done = checkpoints("verify", classifier)
    assert done.code == 0
    assert done.out.startswith(f"{classifier}: fits its network, 200 tensors")


def test_a_replaced_file_is_an_error_until_it_is_trusted(store, tmp_path, classifier):
    checkpoints("download", "moseg", "--accept-licence", "--from", classifier)
    official_file(store / "moseg.pth", "track_classifier", seed=1)
    done = checkpoints("verify", "moseg")
    assert done.code == 2
    assert done.one_line.endswith("if you trust it: moseg checkpoints verify moseg --trust")
    assert checkpoints("verify", "moseg", "--trust").code == 0
    assert checkpoints("verify", "moseg").code == 0


def test_converting_into_the_store_and_using_it(store, tmp_path, classifier):
    checkpoints("download", "moseg", "--accept-licence", "--from", classifier)
    out = store / "moseg.safetensors"
    done = checkpoints("convert", "moseg", "--out", out)
    assert (done.code, done.out) == (0, f"{out}\n")
    (store / "moseg.pth").unlink()
    assert checkpoints("path", "moseg").out == f"{out}\n"
    assert checkpoints("verify", "moseg").code == 0


def test_converting_a_tapir_needs_to_know_whether_it_is_causal(tmp_path):
    from moseg.checkpoints.weights import read_weights

    given, out = official_file(tmp_path / "t.pt", "tapir"), tmp_path / "t.safetensors"
    done = checkpoints("convert", given, "--out", out)
    assert done.code == 2
    assert "--causal" in done.one_line
    assert checkpoints("convert", given, "--out", out, "--causal").code == 0
    assert read_weights(out).metadata["causal"] == "true"


def test_wrong_usage_is_one_line():
    for words in (("download",), ("convert", "tapir"), ("nothing",), ("path",)):
        done = checkpoints(*words)
        assert done.code == 2
        assert "see moseg checkpoints" in done.one_line


@pytest.mark.slow
def test_listing_and_downloading_need_no_pytorch(site, store):
    blocker = store.parent / "blocker"
    blocker.mkdir()
    (blocker / "torch.py").write_text("raise SystemError('torch was imported')")
    variables = {"PYTHONPATH": f"{blocker}:{Path(__file__).parents[2]}"}
    for words in (("list",), ("download", "tapir"), ("path", "tapir")):
        done = moseg_alone("checkpoints", *words, environment=variables)
        assert done.code == 0, done.err


@pytest.mark.slow
def test_a_terminal_shows_a_bar(site, store):
    site.data, site.pause = checkpoint_bytes(values=30_000), 0.01
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "moseg.cli", "checkpoints", "download", "tapir"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stderr=theirs, stdout=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        shown += part
    os.close(ours)
    assert process.wait() == 0
    assert re.search(rb"\d+\.\d/\d+\.\d kB", shown), shown
