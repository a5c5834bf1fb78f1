"""Masks of objects through a video by SAM 2."""
