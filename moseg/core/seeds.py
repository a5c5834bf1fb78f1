"""Seeds: one number from the user, one independent stream for each use."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *names: str) -> int:
    """Return a 31-bit seed that depends on `seed` and `names` alone.

    The same on every machine and in every process, whatever ran before.
    """
    text = "\x1f".join([str(seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") & 0x7FFFFFFF
