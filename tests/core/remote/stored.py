"""Runs of toy stages over inputs in a store."""

from __future__ import annotations

from moseg.core.fingerprint import fingerprint
from moseg.core.layout import Layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.runner import Plan
from moseg.core.scene import Scene, find_scenes
from tests.core.recorder import Recorder
from tests.core.toys import Count, CountParams, Double


class Counted(Count):
    """Tells its input by what it holds, like the real stages."""

    def identity(self, scene):
        return {"input": fingerprint(scene)}


def make_plan(layout, count=1, double=1, **options):
    backends = (Counted(CountParams(amount=count)), Double(CountParams(amount=double)))
    return Plan(backends, layout, **options)


def at(mirror, url, public=None):
    """The layout of a cache at `url`."""
    return Layout(mirror.path(url), public or {}, mirror=mirror)


def run(mirror, bucket, out="out", texts=None, **settings):
    """Run the toy stages over all videos of `in/`; return results and what was computed."""
    scenes, problems = find_scenes([mirror.path(f"{bucket.url}/in")], mirror)
    assert problems == []
    seen = Recorder()
    plan = make_plan(at(mirror, f"{bucket.url}/{out}"), **settings)
    return LocalRunner().run(plan, scenes, seen), seen.computed


def artefacts(bucket, prefix="out/"):
    """Artefacts and manifests; not what is remembered of the inputs."""
    files = bucket.tree(prefix)
    return {name: files[name] for name in files if not name.startswith(".")}


def plain_run(folder, text="3", **settings):
    """The files of the same run on a disk, by path."""
    source = folder / "in" / "a.mp4"
    source.parent.mkdir(parents=True)
    source.write_text(text)
    plan = make_plan(Layout(folder / "out"), **settings)
    LocalRunner().run(plan, [Scene("a", source, "video")], Silent())
    out = folder / "out"
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file()
    }
