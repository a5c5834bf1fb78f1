"""The cache in a store: a real server, and toy stages."""

from __future__ import annotations

import pytest

from moseg.core import claims
from moseg.core.cache import discard
from moseg.core.fingerprint import fingerprint
from moseg.core.layout import Layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.remote import artefacts as remote
from moseg.core.remote import recognise, store
from moseg.core.remote.mirror import Mirror
from moseg.core.runner import Plan
from moseg.core.scene import find_scenes
from moseg.core.stage import Report
from tests.core.recorder import Recorder
from tests.core.remote.stored import Counted, artefacts, at, make_plan, plain_run, run
from tests.core.toys import CountParams, Double

pytest_plugins = ("tests.s3",)


def test_the_store_has_the_bytes_of_a_run_on_a_disk(mirror, video, tmp_path):
    results, computed = run(mirror, video)
    assert [r.failure for r in results] == [None]
    assert list(computed) == ["count", "double"]
    expected = plain_run(tmp_path / "plain")
    assert artefacts(video) == expected
    copies = mirror.path(f"{video.url}/out")
    assert {
        path.relative_to(copies).as_posix(): path.read_bytes()
        for path in copies.rglob("*")
        if path.is_file()
    } == expected


def test_a_rerun_elsewhere_computes_nothing_and_fetches_no_artefact(mirror, other, video):
    run(mirror, video)
    before = video.tree()
    results, computed = run(other, video)
    assert (results[0].reused, computed) == (True, {})
    copies = [path.name for path in other.copies.rglob("*") if path.is_file()]
    assert copies == []  # not even the input
    assert video.tree() == before


@pytest.mark.parametrize(
    ("change", "stages", "word"),
    [
        ({"count": 5}, ["count", "double"], "amount 1 -> 5"),
        ({"double": 5}, ["double"], "amount 1 -> 5"),
        ({"text": "4"}, ["count", "double"], "input changed"),
    ],
)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_change_redoes_what_depends_on_it(
    mirror, other, video, tmp_path, change, stages, word, elsewhere
):
    run(mirror, video)
    expected = plain_run(tmp_path / "plain", **change)
    if "text" in change:
        video.put("in/a.mp4", change["text"])
    settings = {key: value for key, value in change.items() if key != "text"}
    results, computed = run(other if elsewhere else mirror, video, **settings)
    assert results[0].failure is None
    assert list(computed) == stages
    assert word in computed[stages[0]]
    assert artefacts(video) == expected


def test_an_input_is_read_again_when_the_store_has_another(mirror, other, video):
    run(mirror, video)
    video.put("in/a.mp4", "3")  # the same
    assert run(other, video)[1] == {}
    video.put("in/a.mp4", "4")
    assert "input changed" in run(other, video)[1]["count"]
    video.put("out/.a.source", "damaged")
    assert run(other, video)[1] == {}


def test_an_input_that_changes_while_it_is_read_is_not_remembered(mirror, video, monkeypatch):
    scene = find_scenes([mirror.path(f"{video.url}/in")], mirror)[0][0]
    layout = at(mirror, f"{video.url}/out")

    def read(scene):
        video.put("in/a.mp4", "4")
        return fingerprint(scene)

    with monkeypatch.context() as patch:
        patch.setattr(recognise, "fingerprint", read)
        recognise.recognise(scene, layout)
    assert video.tree("out/") == {}
    recognise.recognise(scene, layout)
    assert video.tree("out/").keys() == {".a.source"}


def test_files_that_the_new_artefact_does_not_have_are_deleted(mirror, video, tmp_path):
    run(mirror, video)
    video.put("out/a/count/old.txt", "left over")
    video.delete("out/a/count.manifest.json")
    video.delete("out/a/double.manifest.json")
    run(mirror, video)
    assert artefacts(video) == plain_run(tmp_path / "plain")


@pytest.mark.parametrize(
    ("damage", "stages", "reason"),
    [
        (lambda b: b.delete("out/a/double.txt"), ["double"], "double.txt is missing"),
        (lambda b: b.put("out/a/double.txt", "longer"), ["double"], "double.txt was altered"),
        (lambda b: b.put("out/a/double.txt", "X"), ["double"], "double.txt was altered"),
        (lambda b: b.put("out/a/double.manifest.json", "{"), ["double"], "manifest is damaged"),
        (lambda b: b.delete("out/a/double.manifest.json"), ["double"], "not made yet"),
        (lambda b: b.delete("out/a/count/value.txt"), [], ""),
    ],
)
def test_what_is_damaged_in_the_store_is_made_again(
    mirror, other, video, tmp_path, damage, stages, reason
):
    run(mirror, video)
    damage(video)
    results, computed = run(other, video)
    assert results[0].failure is None
    assert list(computed) == stages
    if stages:
        assert reason in computed["double"]
        assert artefacts(video) == plain_run(tmp_path / "plain")


def test_a_working_artefact_of_the_right_size_and_wrong_content_is_never_read(
    mirror, other, video, tmp_path
):
    run(mirror, video)
    video.put("out/a/count/value.txt", "9")
    results, _ = run(other, video, double=2)
    assert "run again" in results[0].failure.reason
    assert "value.txt" in results[0].failure.reason
    results, computed = run(other, video, double=2)
    assert list(computed) == ["count", "double"]
    assert artefacts(video) == plain_run(tmp_path / "plain", double=2)


def test_results_of_a_copied_bucket_are_looked_at_and_kept(mirror, other, video, monkeypatch):
    run(mirror, video)
    for key, content in artefacts(video).items():
        video.put(f"out/{key}", content)  # without the tags
    looked = []
    monkeypatch.setattr(remote, "_download", _then(remote._download, looked))
    for expected in (1, 1):  # sealed again, they are looked at once
        results, computed = run(other, video)
        assert (results[0].reused, computed) == (True, {})
        assert len(looked) == expected


def _then(function, calls):
    def wrapped(*arguments, **options):
        calls.append(arguments)
        return function(*arguments, **options)

    return wrapped


def test_a_store_that_goes_away_fails_the_scene_and_redoes_nothing(mirror, video, monkeypatch):
    run(mirror, video)
    scenes, _ = find_scenes([mirror.path(f"{video.url}/in")], mirror)
    plan = make_plan(at(mirror, f"{video.url}/out"))
    # A claim cannot be given back to a store that is away: it stays until it is old.
    monkeypatch.setattr(claims, "STALE", 0.0)

    def away(*arguments, **options):
        raise store.StoreUnreachable("away")

    monkeypatch.setattr(store, "tags", lambda url: {})  # so that the results are fetched
    for operation in ("read", "objects_below", "download"):
        with monkeypatch.context() as patch:
            patch.setattr(store, operation, away)
            seen = Recorder()
            failure = LocalRunner().run(plan, scenes, seen)[0].failure
            assert (failure.reason, failure.user_error, failure.transient) == ("away", True, True)
            assert seen.started == []


def test_a_foreign_object_is_refused_and_stays(mirror, video):
    video.put("public/a.txt", "mine")
    public = {"double": (f"{mirror.path(video.url)}/public/", ".txt")}
    scenes, _ = find_scenes([mirror.path(f"{video.url}/in")], mirror)
    plan = make_plan(at(mirror, f"{video.url}/out", public))
    failure = LocalRunner().run(plan, scenes, Silent())[0].failure
    assert f"{video.url}/public/a.txt is already there" in failure.reason
    assert video.get("public/a.txt") == b"mine"
    assert artefacts(video) == {}
    video.delete("public/a.txt")
    for amount in (1, 2):  # made, and made again
        plan = make_plan(at(mirror, f"{video.url}/out", public), double=amount)
        assert LocalRunner().run(plan, scenes, Silent())[0].failure is None
        assert video.get("public/a.txt") == str(8 + amount).encode()


class Nothing(Counted):
    """Writes an empty folder."""

    stage = "nothing"

    def run(self, task):
        assert task.out.is_dir()
        return Report()


class ReadsNothing(Double):
    needs = ("nothing",)

    def run(self, task):
        task.out.write_text(str(list(task.inputs["nothing"].iterdir())))
        return Report()


def test_an_empty_folder_is_an_artefact_too(mirror, other, video):
    scenes, _ = find_scenes([mirror.path(f"{video.url}/in")], mirror)
    for amount, where in ((1, mirror), (2, other)):
        backends = (Nothing(CountParams()), ReadsNothing(CountParams(amount=amount)))
        plan = Plan(backends, at(where, f"{video.url}/out"))
        scenes, _ = find_scenes([where.path(f"{video.url}/in")], where)
        assert LocalRunner().run(plan, scenes, Silent())[0].failure is None
    assert video.get("out/a/double.txt") == b"[]"


def test_inputs_in_a_store_and_results_on_a_disk(mirror, video, tmp_path):
    scenes, _ = find_scenes([mirror.path(f"{video.url}/in")], mirror)
    out = tmp_path / "out"
    LocalRunner().run(make_plan(Layout(out, mirror=mirror)), scenes, Silent())
    assert (out / "a/double.txt").read_text() == "9"
    assert list(video.tree()) == ["in/a.mp4"]
    other = Mirror(tmp_path / "other")
    scenes, _ = find_scenes([other.path(f"{video.url}/in")], other)
    assert LocalRunner().run(make_plan(Layout(out, mirror=other)), scenes, Silent())[0].reused
    assert not scenes[0].source.exists()


def test_discarding_deletes_in_the_store_and_on_the_scratch_disk(mirror, video):
    run(mirror, video)
    slot = at(mirror, f"{video.url}/out").slot("a", "count")
    size = sum(len(content) for content in video.tree("out/a/count/").values())
    assert discard(slot) == size
    assert set(artefacts(video)) == {"a/double.txt", "a/double.manifest.json"}
    assert not slot.target.exists()
    assert discard(slot) == 0
    assert run(mirror, video)[0][0].reused


def test_small_files_of_a_run_are_brought_to_the_store(mirror, bucket, tmp_path):
    path = mirror.path(f"{bucket.url}/out/run.json")
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    remote.upload_text(mirror, path)
    remote.upload_text(mirror, tmp_path / "elsewhere.json")
    remote.upload_text(None, path)
    assert bucket.tree() == {"out/run.json": b"{}"}


def test_what_runs_say_one_after_the_other_is_put_together(mirror, bucket):
    target = mirror.path(f"{bucket.url}/out/events.jsonl")
    target.parent.mkdir(parents=True)
    for number in (1, 2):
        mine = target.with_name(f".{number}")
        mine.write_text(f"{number}\n")
        remote.append_text(mirror, mine, target)
    assert bucket.get("out/events.jsonl") == b"1\n2\n"
    assert list(target.parent.iterdir()) == []
