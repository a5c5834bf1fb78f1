"""The version of moseg; part of every cache manifest."""

__version__ = "0.1.0"
