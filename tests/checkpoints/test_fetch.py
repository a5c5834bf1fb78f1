"""Fetching over HTTP from a real server on loopback, well and badly behaved."""

from __future__ import annotations

import json
import socket

import pytest

from moseg.checkpoints.fetch import fetch, forget
from moseg.core.errors import BackendError, OutputError
from tests.checkpoints.server import Site, serving
from tests.limits import largest_file

DATA = bytes(i * i % 251 for i in range(50_000))


@pytest.fixture
def site():
    with serving(Site(DATA)) as served:
        yield served


@pytest.fixture
def partial(tmp_path):
    return tmp_path / ".a.pt.partial"


def get(site, partial, name="a.pt", timeout=5.0):
    """Fetch, and return what the progress was told."""
    told = []
    fetch(f"{site.url}/{name}", partial, lambda *p: told.append(p), timeout)
    return told


def refusal(site, partial, **options):
    with pytest.raises(BackendError) as caught:
        get(site, partial, **options)
    line = str(caught.value)
    assert line.startswith(f"{site.url}/a.pt: ")
    assert "\n" not in line
    return line


def cut_off(site, partial, at=20_000):
    """A first attempt that gets only so far."""
    site.cut = at
    line = refusal(site, partial)
    site.cut = None
    assert partial.read_bytes() == DATA[:at]
    return line


def test_a_whole_file_comes_with_its_progress(site, partial):
    told = get(site, partial)
    assert partial.read_bytes() == DATA
    assert [total for _, total in told] == [len(DATA)] * len(told)
    done = [count for count, _ in told]
    assert done == sorted(done)
    assert done[-1] == len(DATA)
    assert site.requests[0]["User-Agent"].startswith("moseg/")
    assert "Range" not in site.requests[0]


def test_a_cut_connection_is_told_and_what_came_is_kept(site, partial):
    line = cut_off(site, partial)
    assert "cut at byte 20000 of 50000; run the same command again" in line


def test_it_goes_on_where_it_was_cut(site, partial):
    cut_off(site, partial)
    told = get(site, partial)
    assert partial.read_bytes() == DATA
    assert site.requests[1]["Range"] == "bytes=20000-"
    assert site.requests[1]["If-Range"] == '"one"'
    assert told[0][0] > 20_000
    assert told[0][1] == len(DATA)


def test_it_goes_on_more_than_once(site, partial):
    cut_off(site, partial, 10_000)
    site.cut = 15_000
    refusal(site, partial)
    site.cut = None
    get(site, partial)
    assert partial.read_bytes() == DATA
    assert [r.get("Range") for r in site.requests] == [None, "bytes=10000-", "bytes=25000-"]


@pytest.mark.parametrize(
    ("etag", "modified", "condition"),
    [
        ("", "Tue, 01 Oct 2024 10:00:00 GMT", "Tue, 01 Oct 2024 10:00:00 GMT"),
        ('W/"weak"', "Tue, 01 Oct 2024 10:00:00 GMT", "Tue, 01 Oct 2024 10:00:00 GMT"),
        ("", "", None),
    ],
)
def test_it_goes_on_by_date_or_by_length_alone(site, partial, etag, modified, condition):
    site.etag, site.modified = etag, modified
    cut_off(site, partial)
    get(site, partial)
    assert partial.read_bytes() == DATA
    assert site.requests[1]["Range"] == "bytes=20000-"
    assert site.requests[1].get("If-Range") == condition


def test_a_server_without_ranges_sends_all_again(site, partial):
    site.ranges = False
    cut_off(site, partial)
    told = get(site, partial)
    assert partial.read_bytes() == DATA
    assert told[0][0] < 20_000
    assert len(site.requests) == 2


def test_another_version_starts_over(site, partial):
    cut_off(site, partial)
    site.data, site.etag = DATA[::-1], '"two"'
    get(site, partial)
    assert partial.read_bytes() == DATA[::-1]


def test_another_length_without_a_version_starts_over(site, partial):
    site.etag = ""
    cut_off(site, partial)
    site.data = DATA[::-1] + b"longer"
    get(site, partial)
    assert partial.read_bytes() == DATA[::-1] + b"longer"


def test_a_shorter_file_starts_over(site, partial):
    site.etag = ""
    cut_off(site, partial)
    site.data = DATA[::-1][:5000]
    get(site, partial)
    assert partial.read_bytes() == site.data


def test_the_wrong_range_is_not_appended(site, partial):
    cut_off(site, partial)
    site.lie = 7
    get(site, partial)
    assert partial.read_bytes() == DATA
    assert [r.get("Range") for r in site.requests] == [None, "bytes=20000-", None]


def test_another_address_starts_over(site, partial):
    cut_off(site, partial)
    get(site, partial, name="b.pt")
    assert partial.read_bytes() == DATA
    assert "Range" not in site.requests[1]


def test_bytes_of_unknown_origin_are_not_kept(site, partial):
    partial.write_bytes(b"what is this?")
    get(site, partial)
    assert partial.read_bytes() == DATA


@pytest.mark.parametrize("note", ["{", "[]", '{"url": 1}'])
def test_a_damaged_note_starts_over(site, partial, note):
    cut_off(site, partial)
    partial.with_name(".a.pt.partial.json").write_text(note)
    get(site, partial)
    assert partial.read_bytes() == DATA
    assert "Range" not in site.requests[1]


def test_nothing_is_asked_for_when_all_is_here(site, partial):
    get(site, partial)
    get(site, partial)
    assert partial.read_bytes() == DATA
    assert len(site.requests) == 1


def test_a_server_that_tells_no_length(site, partial):
    site.sized = False
    told = get(site, partial)
    assert partial.read_bytes() == DATA
    assert {total for _, total in told} == {None}


def test_a_range_behind_the_end_starts_over(site, partial):
    site.sized = False
    get(site, partial)
    get(site, partial)
    assert partial.read_bytes() == DATA
    assert [r.get("Range") for r in site.requests] == [None, "bytes=50000-", None]


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "404 Not Found"), (403, "403 Forbidden"), (503, "503 Service Unavailable")],
)
def test_refusals_of_the_server_are_told(site, partial, status, words):
    site.status = status
    line = refusal(site, partial)
    assert f"the server answers {words}" in line
    assert "MOSEG_CHECKPOINT_MIRROR" in line
    assert not partial.exists()


def test_a_refusal_costs_nothing_of_what_is_here(site, partial):
    cut_off(site, partial)
    site.status = 503
    refusal(site, partial)
    assert partial.read_bytes() == DATA[:20_000]


def test_a_web_page_is_not_taken_for_the_file(site, partial):
    site.kind = "text/html; charset=utf-8"
    assert "something else than a file" in refusal(site, partial)
    assert not partial.exists()


def test_a_server_that_falls_silent_is_told(site, partial):
    site.stall = 3000
    line = refusal(site, partial, timeout=0.2)
    assert "the server stopped sending; run the same command again" in line
    assert partial.read_bytes() == DATA[:3000]


def test_no_server_is_told(site, partial):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        site.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert "no answer from the server (Connection refused)" in refusal(site, partial)


def test_no_such_host_is_told(site, partial):
    site.url = "http://no-such-host.invalid"
    assert "no answer from the server (" in refusal(site, partial)


def test_what_the_system_refuses_to_store_is_told_and_the_rest_kept(site, partial):
    with (
        largest_file(10_000),
        pytest.raises(OutputError, match=r"\.a\.pt\.partial: the file grows"),
    ):
        get(site, partial)
    assert partial.stat().st_size == 10_000
    get(site, partial)
    assert partial.read_bytes() == DATA
    assert site.requests[1]["Range"] == "bytes=10000-"


def test_the_note_says_which_version_this_is(site, partial):
    get(site, partial)
    note = partial.with_name(".a.pt.partial.json")
    assert json.loads(note.read_text()) == {
        "url": f"{site.url}/a.pt",
        "validator": '"one"',
        "size": len(DATA),
    }
    forget(partial)
    assert not note.exists()
    assert not partial.exists()
