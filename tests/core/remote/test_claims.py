"""Claims in a store: one run at a time works on a scene, and what a dead run held is taken over."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time

import pytest

from moseg.core import claims as module
from moseg.core.claims import Claim, Claims, Holder
from moseg.core.errors import OutputError
from moseg.core.layout import Layout
from moseg.core.processes import machine_id
from moseg.core.remote import store
from moseg.core.remote.claims import RemoteClaims, claims_on
from moseg.core.remote.mirror import Mirror

pytest_plugins = ("tests.s3",)


@pytest.fixture
def layout(bucket, tmp_path):
    mirror = Mirror(tmp_path / "scratch")
    return Layout(mirror.path(f"{bucket.url}/cache"), mirror=mirror)


def left_by(bucket, **holder):
    """A claim as another run leaves it."""
    known = {"token": "other", "host": "far", "machine": "far 1 2", "pid": 1} | holder
    bucket.put("cache/.a.claim", Holder(**known).to_bytes())


def test_the_claims_are_where_the_cache_is(layout, tmp_path):
    assert isinstance(claims_on(layout), RemoteClaims)
    assert type(claims_on(Layout(tmp_path / "cache"))) is Claims
    assert type(claims_on(Layout(tmp_path / "cache", mirror=layout.mirror))) is Claims


def test_a_scene_is_one_runs_at_a_time(layout, bucket):
    first, second = claims_on(layout), claims_on(layout)
    assert isinstance(first.take("a"), Claim)
    held = second.take("a")
    assert isinstance(held, Holder)
    assert held.pid == os.getpid()
    assert isinstance(second.take("b"), Claim)
    assert bucket.tree().keys() == {"cache/.a.claim", "cache/.b.claim"}
    first.release("a")
    assert isinstance(second.take("a"), Claim)
    second.close()
    assert bucket.tree() == {}
    assert not layout.cache.exists()


def test_a_claim_of_a_dead_process_is_taken_over_at_once(layout, bucket):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    left_by(bucket, machine=machine_id(), pid=process.pid)
    assert isinstance(claims_on(layout).take("a"), Claim)


@pytest.mark.parametrize(("stale", "ours"), [(60.0, False), (-1.0, True)])
def test_elsewhere_only_its_age_by_the_stores_clock_tells(layout, bucket, monkeypatch, stale, ours):
    monkeypatch.setattr(module, "STALE", stale)
    left_by(bucket)
    assert isinstance(claims_on(layout).take("a"), Claim) == ours


def test_an_age_is_that_of_the_last_writing(bucket):
    url = bucket.put("a", "x")
    etag, young = store.look(url)
    assert 0 <= young < 60
    time.sleep(2.1)
    old = store.look(url)[1]
    assert old >= young + 1
    assert store.replace(url, b"x", etag)
    assert store.look(url)[1] < old


def test_a_held_claim_is_kept_fresh(layout, bucket, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.01)
    written, real = threading.Event(), store.replace

    def replace(*arguments):
        etag = real(*arguments)
        if etag:
            written.set()
        return etag

    monkeypatch.setattr(store, "replace", replace)
    with claims_on(layout) as claims:
        claims.take("a").check("a")
        assert written.wait(10)


def test_who_lost_a_claim_finds_out_and_leaves_the_new_one_alone(layout, bucket):
    claims = claims_on(layout)
    claim = claims.take("a")
    pickle.loads(pickle.dumps(claim)).check("a")
    left_by(bucket)
    before = bucket.tree()
    with pytest.raises(OutputError, match="another run took this scene over"):
        claim.check("a")
    claims._refresh(claim)
    claims.close()
    assert bucket.tree() == before


@pytest.mark.parametrize("left", [True, False])
def test_of_many_that_try_at_once_one_has_it(layout, bucket, monkeypatch, left):
    if left:
        monkeypatch.setattr(module, "STALE", -1.0)
        left_by(bucket)
    tried, gate = [], threading.Barrier(4)
    runs = [claims_on(layout) for _ in range(4)]

    def attempt(claims):
        gate.wait()
        tried.append(claims.take("a"))

    threads = [threading.Thread(target=attempt, args=(claims,)) for claims in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = []
    for claim in tried:
        if isinstance(claim, Claim):
            try:
                claim.check("a")
                winners.append(claim)
            except OutputError:
                continue
    assert len(winners) == 1


def test_who_comes_second_to_a_claim_that_was_left_behind_does_not_have_it(
    layout, bucket, monkeypatch
):
    monkeypatch.setattr(module, "STALE", -1.0)
    left_by(bucket)
    real = store.replace

    def replace(url, content, etag):
        left_by(bucket, token="quicker")
        return real(url, content, etag)

    monkeypatch.setattr(store, "replace", replace)
    assert claims_on(layout).take("a").token == "quicker"


def test_a_store_that_refuses_is_an_output_error_and_no_harm_at_the_end(layout, bucket, tmp_path):
    nowhere = Layout(layout.mirror.path("s3://no-such-bucket/cache"), mirror=layout.mirror)
    with pytest.raises(OutputError, match="there is no such bucket"):
        claims_on(nowhere).take("a")
    claims = claims_on(layout)
    claims.take("a")
    bucket.delete("cache/.a.claim")
    bucket.client.delete_bucket(Bucket=bucket.name)
    claims.close()
