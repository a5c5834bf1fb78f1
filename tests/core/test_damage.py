"""The sentences about cut and damaged videos."""

from __future__ import annotations

from moseg.core.damage import Losses, Promise

TIMES = [0.0, 0.1, 0.2, 0.3]


def _notes(losses: Losses, promise: Promise, last_shown: float = 0.1) -> tuple[str, ...]:
    return losses.notes("clip.mp4", promise, TIMES, last_shown)


def test_a_kept_promise_gives_no_note() -> None:
    assert _notes(Losses(), Promise()) == ()
    assert _notes(Losses(), Promise(frames=4)) == ()
    assert _notes(Losses(), Promise(frames=3)) == ()
    assert _notes(Losses(), Promise(seconds=0.4)) == ()
    assert _notes(Losses(hidden_packets=6), Promise(frames=10)) == ()
    assert _notes(Losses(), Promise(seconds=5.3), last_shown=5.0) == ()


def test_missing_frames() -> None:
    assert _notes(Losses(), Promise(frames=10)) == (
        "clip.mp4: 4 of 10 promised frames decode, the file is cut or damaged; those are used",
    )


def test_missing_time() -> None:
    assert _notes(Losses(), Promise(seconds=0.5)) == (
        "clip.mp4: 0.40 of 0.50 promised seconds decode, the file is cut or damaged; "
        "those 4 frames are used",
    )
    assert Losses().notes("a", Promise(seconds=0.5), [0.0], 0.0)
    assert Losses().notes("a", Promise(seconds=0.04), [0.0], 0.04) == ()


def test_pieces_that_do_not_decode() -> None:
    (note,) = _notes(Losses(broken_packets=2), Promise())
    assert "damaged in 2 or more places; the 4 frames that decode are used" in note


def test_a_change_of_size_explains_the_missing_frames() -> None:
    (note,) = _notes(Losses(new_size=(48, 64)), Promise(frames=10))
    assert "changes to 64x48 after frame 4" in note


def test_patched_frames_are_told_beside_the_rest() -> None:
    first, second = _notes(Losses(patched_frames=3), Promise(frames=10))
    assert "promised" in first
    assert second.startswith("clip.mp4: 3 of 4 frames are damaged")
