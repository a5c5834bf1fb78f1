"""The `frames` stage: what a source holds."""
