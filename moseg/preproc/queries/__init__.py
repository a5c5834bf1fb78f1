"""The `queries` stage: which points are tracked, and in which windows of frames."""
