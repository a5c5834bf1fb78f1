"""Paths that stand for URLs."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import InputError, OutputError
from moseg.core.remote.mirror import Mirror, is_remote, local_path, open_mirror


@pytest.fixture
def mirror(tmp_path):
    return Mirror(tmp_path / "scratch")


PART = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=8)


@given(st.lists(PART.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4))
def test_every_url_has_a_path_of_its_own_and_back(parts):
    mirror, url = Mirror(Path("/scratch")), "s3://" + "/".join(parts)
    assert mirror.url(mirror.path(url)) == url
    assert mirror.path(url + "/") == mirror.path(url)
    assert os.path.normpath(mirror.path(url)).startswith("/scratch/s3/")


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///a", "s3://b//a", "s3://b/../c", "s3://../c", "s3://b/./c", "/a", "b"]
)
def test_urls_that_no_path_can_stand_for(mirror, url):
    with pytest.raises(InputError, match=r"names no bucket|empty or dotted"):
        mirror.path(url)


def test_other_paths_stand_for_nothing(mirror, tmp_path):
    for path in (tmp_path, mirror.root, mirror.root / "s3", mirror.root / "s3b/c", Path("a")):
        assert mirror.url(path) is None
    assert is_remote("s3://b/a")
    assert not is_remote("s3:/b")
    assert not is_remote("/s3://b")


def test_a_mirror_can_be_sent(mirror):
    assert pickle.loads(pickle.dumps(mirror)) == mirror


def test_nothing_of_the_store_is_imported_before_it_is_asked():
    code = (
        "import sys, moseg.api, moseg.core.local, moseg.core.remote.scenes\n"
        "found = {'s3fs', 'fsspec', 'aiobotocore', 'botocore', 'boto3'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_scratch_folder_is_its_owners_alone(tmp_path, monkeypatch):
    mirror = open_mirror(tmp_path / "a" / "scratch", 2)
    assert (mirror.root.stat().st_mode & 0o777, mirror.limit) == (0o700, 2 * 10**9)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert open_mirror().root == tmp_path / f"moseg-{os.getuid()}"
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(OutputError, match="belongs to another user"):
        open_mirror(mirror.root)


def test_what_a_user_writes_is_a_path_or_a_url(mirror):
    assert local_path("s3://b/a", mirror) == mirror.path("s3://b/a")
    assert local_path("b/a", mirror) == Path("b/a")
    assert local_path("s3://b/a", None) == Path("s3://b/a")
