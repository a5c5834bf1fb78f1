"""Artefacts in the layout of the track-based reference system, for its users and tools."""
