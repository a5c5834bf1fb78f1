"""Inputs and artefacts in an object store: local paths that stand for objects."""
