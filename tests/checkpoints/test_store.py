"""The store: where it is, what it finds, and that a changed file is an error."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from moseg.checkpoints import store as module
from moseg.checkpoints.store import Store, open_store
from moseg.core.errors import BackendError, ConfigError
from tests.checkpoints.files import entry, save_folder, store

ROOT = Path(__file__).parents[2]
CLOSED = {"name": "CC-BY-NC-4.0", "non_commercial": True, "url": "https://example.org/licence"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_the_folder_is_the_one_asked_for_else_the_checkout_s(monkeypatch, tmp_path):
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path / "mine"))
    assert open_store().folder == tmp_path / "mine"
    monkeypatch.setenv("MOSEG_CHECKPOINTS", "~/weights")
    assert open_store().folder == Path.home() / "weights"
    monkeypatch.delenv("MOSEG_CHECKPOINTS")
    assert open_store().folder == ROOT / "checkpoints"


def test_a_checkpoint_is_found_in_each_form_and_the_official_one_counts(tmp_path):
    here, small = store(tmp_path), entry()
    assert here.find(small) is None
    folder = save_folder(tmp_path / "small")
    assert here.locate("small") == folder
    (tmp_path / "small.safetensors").write_bytes(b"x")
    assert here.locate("small") == tmp_path / "small.safetensors"
    (tmp_path / "small_v1.pt").write_bytes(b"x")
    assert here.locate("small") == tmp_path / "small_v1.pt"


def test_a_missing_one_ends_with_the_command_that_brings_it(tmp_path):
    with pytest.raises(BackendError, match=r"run: moseg checkpoints download small$"):
        store(tmp_path).locate("small")


def test_the_command_accepts_a_licence_where_it_must(tmp_path):
    closed = store(tmp_path, entry(licence=CLOSED))
    with pytest.raises(BackendError, match=r"download small --accept-licence$"):
        closed.locate("small")


def test_the_command_says_what_to_fetch_by_hand(tmp_path):
    by_hand = store(tmp_path, entry(url=None))
    expected = "fetch small_v1.pt by hand from https://example.org/small, then run: .* --from FILE$"
    with pytest.raises(BackendError, match=expected):
        by_hand.locate("small")


def test_a_path_is_taken_as_it_is_but_names_count_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").write_bytes(b"not the checkpoint")
    here = store(tmp_path / "store")
    assert here.locate("./small") == Path("small")
    with pytest.raises(BackendError, match="checkpoint small is not in"):
        here.locate("small")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("smal", "did you mean small; see moseg checkpoints list"),
        ("qqqq", "no such name or file; see moseg checkpoints list"),
        ("weights/small_v1.pt", "its name in moseg is small"),
    ],
)
def test_an_unknown_name_gets_a_hint(tmp_path, given, hint):
    with pytest.raises(BackendError, match=hint):
        store(tmp_path).locate(given)
    with pytest.raises(ConfigError, match=hint):
        store(tmp_path).entry(given)


def test_a_published_digest_is_checked(tmp_path):
    (tmp_path / "small_v1.pt").write_bytes(b"right")
    here = store(tmp_path, entry(sha256=sha256(b"right")))
    assert here.checked("small").sha256 == sha256(b"right")
    (tmp_path / "small_v1.pt").write_bytes(b"wrong!")
    for trust in (False, True):
        with pytest.raises(BackendError, match="is not the file its authors published"):
            here.checked("small", trust=trust)


def test_a_published_digest_binds_the_official_file_alone(tmp_path):
    save_folder(tmp_path / "small")
    here = store(tmp_path, entry(sha256=sha256(b"right")))
    assert here.checked("small").path == tmp_path / "small"


def test_the_digest_at_first_sight_is_checked_ever_after(tmp_path):
    (tmp_path / "small_v1.pt").write_bytes(b"first")
    first = store(tmp_path).checked("small")
    assert first.entry == entry()
    (tmp_path / "small_v1.pt").write_bytes(b"second")
    with pytest.raises(BackendError, match="first seen here") as caught:
        store(tmp_path).checked("small")
    line = str(caught.value)
    assert sha256(b"first")[:12] in line
    assert sha256(b"second")[:12] in line
    assert line.endswith("moseg checkpoints verify small --trust")
    assert store(tmp_path).present(entry()) is None
    assert store(tmp_path).checked("small", trust=True).sha256 == sha256(b"second")
    assert store(tmp_path).checked("small").sha256 == sha256(b"second")


def test_a_changed_folder_is_noticed(tmp_path):
    save_folder(tmp_path / "small")
    store(tmp_path).checked("small")
    (tmp_path / "small/config.json").write_text("{}")
    with pytest.raises(BackendError, match="first seen here"):
        store(tmp_path).checked("small")


def test_a_path_has_a_digest_and_nothing_to_compare_it_with(tmp_path):
    path = tmp_path / "mine.pt"
    path.write_bytes(b"one")
    assert store(tmp_path).checked(str(path)).entry is None
    path.write_bytes(b"two")
    assert store(tmp_path).checked(str(path)).sha256 == sha256(b"two")


def test_what_moseg_writes_itself_is_recorded_anew(tmp_path):
    path, here = tmp_path / "small.safetensors", store(tmp_path)
    path.write_bytes(b"one")
    here.checked("small")
    path.write_bytes(b"two")
    (tmp_path / "sub").mkdir()
    here.adopt(tmp_path / "sub/../small.safetensors")
    assert here.checked("small").sha256 == sha256(b"two")
    (tmp_path / "other.safetensors").write_bytes(b"x")
    here.adopt(tmp_path / "other.safetensors")
    assert here.digests.recorded("other.safetensors") is None


def test_paths_that_no_system_takes_are_not_there(tmp_path):
    loop = tmp_path / "loop.pt"
    loop.symlink_to(loop)
    for path in (str(loop), "x" * 5000, "~no-such-user/x.pt", "a\0b"):
        with pytest.raises(BackendError, match="no checkpoint") as caught:
            store(tmp_path).locate(path)
        assert "\n" not in str(caught.value)


def test_the_short_calls_use_the_store_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path))
    path = tmp_path / "tapir_checkpoint_panning.pt"
    path.write_bytes(b"x")
    assert module.locate("tapir") == path
    assert module.digest(path) == sha256(b"x")
    assert isinstance(open_store(), Store)
