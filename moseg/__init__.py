"""moseg: any video in, masks of what moves out."""

from moseg.version import __version__

__all__ = ["__version__"]
