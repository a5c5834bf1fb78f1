"""What the classifier reads of a scene, checked to belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moseg.core.closing import Closing
from moseg.core.disparity import DisparityMaps
from moseg.core.errors import BackendError, CacheError
from moseg.core.frames import Frames
from moseg.core.point_features import FILE, PointFeatures, nearest_cells
from moseg.core.query_points import QueryPoints
from moseg.core.track_array import TrackArray
from moseg.core.types import FeatureMap
from moseg.models.track_classifier.options import DINO_CHANNELS, Options
from moseg.motion.sampling import Sample, draw_rows, make_sample
from moseg.motion.track_depth import depth_under

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]


class ClassifierInputs(Closing):
    """Tracks, depth and features of a scene, one window of frames at a time.

    Args:
        folders: artefacts by stage: `tracks`, and `depths` and `dinos` where they are read.
        frames: the scene's frames.
        options: of the network.
        depth: `maps` reads disparity, `ones` puts 1 in its place, `none` gives none.

    Raises:
        CacheError: artefacts are damaged, or of other frames.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        frames: Frames,
        options: Options,
        depth: Literal["maps", "ones", "none"],
    ) -> None:
        self.size = frames.height, frames.width
        self._options, self._depth = options, depth
        self._tracks = TrackArray(folders["tracks"])
        self.points = self._tracks.points
        self._maps: DisparityMaps | None = None
        try:
            _check_windows(self._tracks, len(frames), folders["tracks"])
            if depth == "maps":
                self._maps = DisparityMaps(folders["depths"])
                _check_maps(self._maps, frames, folders["depths"])
            self._features = (
                _Features(folders["dinos"], self.points, self.size) if options.dino else None
            )
        except Exception:
            self.close()
            raise

    def sample(self, window: int, limit: int, rng: np.random.Generator) -> Sample:
        """Return the tracks of a window that are classified, at most `limit`.

        All of them where the points are a sample already, else one is drawn.

        Raises:
            CacheError: tracks hold values that are not numbers.
        """
        counts = [rows.stop - rows.start for _, rows in query_rows(self.points, window)]
        total = sum(counts)
        if not self.points.drawn:
            rows = draw_rows(rng, counts, limit)
        elif total > limit:
            rows = rng.permutation(total)[:limit]
        else:
            rows = np.arange(total)
        rows = np.sort(rows)
        return make_sample(rows, self._gather(window, rows))

    def depth(self, window: int, sample: Sample) -> Float32 | None:
        """Return depth float32 [n, L] under the tracks, or None where it is not used."""
        if self._maps is not None:
            start = int(self.points.starts[window])
            options = self._options
            return depth_under(
                self._maps, start, sample.xy, options.depth_lookup, options.depth_read
            )
        return np.ones(sample.visible.shape, np.float32) if self._depth == "ones" else None

    def features(self, window: int, sample: Sample) -> Float32 | None:
        """Return appearance float32 [n, 768] at the query points, or None where it is not used.

        Raises:
            CacheError: features are missing, or hold values that are not numbers.
            BackendError: they are of another network than the classifier's.
        """
        return self._features.of(window, sample.rows) if self._features else None

    def _gather(self, window: int, rows: Int64) -> Float32:
        """Return tracks [n, L, 4]; reads those of one query frame at a time."""
        base = self.points.rows(window).start
        parts = [np.zeros((0, self.points.length, 4), np.float32)]
        for _, own in query_rows(self.points, window):
            picked = rows[(own.start <= rows) & (rows < own.stop)] - own.start
            block = self._tracks.block(slice(base + own.start, base + own.stop))
            parts.append(block[picked])
        tracks = np.concatenate(parts)
        if not np.isfinite(tracks).all():
            raise CacheError("tracks hold values that are not numbers; run --tracks again")
        return tracks

    def close(self) -> None:
        """Close the files."""
        self._tracks.close()
        if self._maps is not None:
            self._maps.close()


def query_rows(points: QueryPoints, window: int) -> Iterator[tuple[int, slice]]:
    """Yield the query frames of a window with their rows among the points of the window."""
    frames = points.frame[points.rows(window)]
    queries, first, count = np.unique(frames, return_index=True, return_counts=True)
    for query, start, length in zip(queries, first, count, strict=True):
        yield int(query), slice(int(start), int(start + length))


class _Features:
    """Appearance at query points, from a small array or from maps of the query frames."""

    def __init__(self, folder: Path, points: QueryPoints, size: tuple[int, int]) -> None:
        self._folder, self._points, self._size = folder, points, size
        path = folder / FILE
        self._values = PointFeatures.load(path).values if path.exists() else None
        if self._values is not None and len(self._values) != len(points):
            raise CacheError(f"{path} does not belong to these tracks; run --dinos again")

    def of(self, window: int, rows: Int64) -> Float32:
        """Return float32 [n, 768] of some points of a window."""
        own = self._points.rows(window)
        values = self._sampled(window, rows) if self._values is None else self._values[own][rows]
        if values.shape[1] != DINO_CHANNELS:
            raise _foreign(self._folder, values.shape[1])
        if not np.isfinite(values).all():
            raise CacheError(f"{self._folder} holds values that are not numbers; run --dinos again")
        return values.astype(np.float32)

    def _sampled(self, window: int, rows: Int64) -> NDArray[np.float16]:
        """Sample the maps of the query frames, one at a time."""
        xy = self._points.xy[self._points.rows(window)]
        parts = []
        for query, own in query_rows(self._points, window):
            picked = rows[(own.start <= rows) & (rows < own.stop)]
            parts.append(nearest_cells(self._map(query), xy[picked], *self._size))
        return np.concatenate(parts)

    def _map(self, query: int) -> NDArray[np.float16]:
        path = self._folder / f"{query:05d}.npz"
        if not path.exists():
            raise CacheError(f"{path} is missing; run --dinos again")
        values = FeatureMap.load(path).values
        if values.ndim != 3 or values.shape[2] != DINO_CHANNELS:
            raise _foreign(path, values.shape[-1])
        return values


def _foreign(path: Path, channels: int) -> BackendError:
    return BackendError(
        f"{path} holds features of {channels} channels, the track classifier takes "
        f"{DINO_CHANNELS}: set dinos.checkpoint to dinov2-vitb14"
    )


def _check_windows(tracks: TrackArray, count: int, folder: Path) -> None:
    points = tracks.points
    last = int(points.starts[-1]) + points.length if len(points.starts) else 0
    if last > count:
        raise CacheError(f"{folder} holds tracks of more than {count} frames; run --tracks again")


def _check_maps(maps: DisparityMaps, frames: Frames, folder: Path) -> None:
    expected = len(frames), frames.height, frames.width
    found = len(maps), *maps.size
    if found != expected:
        raise CacheError(
            f"{folder} holds {found[0]} maps of {found[2]}x{found[1]} pixels, the scene has "
            f"{expected[0]} frames of {expected[2]}x{expected[1]}; run --depths again"
        )
