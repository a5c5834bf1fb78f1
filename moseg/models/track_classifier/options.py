"""The variants of the track classifier, and how weights tell which one they are.

Names and meaning of the flags are those of the reference's configuration file.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from moseg.core.errors import BackendError

DINO_CHANNELS = 768
EMBEDDING = 16
"""Channels in which the motion of a track is summed up."""
WIDTH = 128
"""Channels of the decoder."""

DinoPlace = Literal["none", "frames", "embedding", "feedforward"]
Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Options:
    """One variant of the classifier; the defaults are those of the released weights.

    Attributes:
        tracks: positions and motion of the tracks are input.
        depths: depth and its change are input.
        extra_info: visibility and confidence are input; needs `tracks`.
        dino: appearance features are input.
        dino_later: they enter after the motion encoder, not in every frame.
        dino_woatt: they enter in the feed-forward layers of the decoder, not before it.
        time_att: frames and tracks attend in turn; without, only the frames of a track do.
        pos_embed: positions and motion as sines and cosines; needs `tracks`.
        oanet: the decoder is an order-aware network instead of a transformer.
        depth_lookup: `reference` reads depth at the place the reference does (wrong, but the
            released weights were trained so), `pixel` at the track's pixel.
        depth_read: `clip8` cuts 16-bit disparity off at 255, as the reference does; `full`
            uses the whole range.

    Raises:
        BackendError: a value is none of an option's, or flags exclude each other.
    """

    tracks: bool = True
    depths: bool = True
    extra_info: bool = True
    dino: bool = True
    dino_later: bool = True
    dino_woatt: bool = True
    time_att: bool = True
    pos_embed: bool = True
    oanet: bool = False
    depth_lookup: Literal["reference", "pixel"] = "reference"
    depth_read: Literal["clip8", "full"] = "clip8"

    def __post_init__(self) -> None:
        if problem := _problem(asdict(self)):
            raise BackendError(f"options of the track classifier: {problem}")

    @property
    def dino_place(self) -> DinoPlace:
        """Where appearance features enter."""
        if not self.dino:
            return "none"
        if not self.dino_later:
            return "frames"
        return "feedforward" if self.dino_woatt else "embedding"

    @property
    def track_channels(self) -> int:
        """Features of a track in one frame, without appearance."""
        if not self.tracks:
            return 2 * self.depths
        code = 42 if self.pos_embed else 2
        return 2 * code + 2 * self.depths + 2 * self.extra_info

    @property
    def widths(self) -> Mapping[str, int]:
        """Input channels of the layers whose size depends on the options, by their key."""
        early = DINO_CHANNELS * (self.dino_place == "frames")
        joined = EMBEDDING + DINO_CHANNELS * (self.dino_place == "embedding")
        late = WIDTH + DINO_CHANNELS * (self.dino_place == "feedforward")
        widths = {"joint_encoder.input_fc1.weight": self.track_channels + early}
        if self.oanet:
            return {**widths, "decoder.conv1.weight": joined}
        return {
            **widths,
            "decoder.embedding.embedding.weight": joined,
            "decoder.encoders.0.ffn.0.weight": late,
        }

    def to_json(self) -> str:
        """One JSON object, as it is stored with converted weights."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str, what: str) -> Options:
        """Read what `to_json` wrote.

        Raises:
            BackendError: the text, stored with the weights `what`, is something else.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError, BackendError) as error:
            raise BackendError(f"{what}: its stored options cannot be used ({error})") from error


VALUES: Mapping[str, tuple[bool | str, ...]] = {
    **{field.name: (True, False) for field in fields(Options)},
    "depth_lookup": ("reference", "pixel"),
    "depth_read": ("clip8", "full"),
}
"""Option -> what it may be."""


def fitting_options(
    shapes: Shapes,
    what: str,
    given: Mapping[str, bool | str],
    stored: Options | None = None,
    assumed: Options | None = None,
) -> Options:
    """Return the variant that weights are of.

    Args:
        shapes: of the weights' tensors, by official key.
        what: the checkpoint, for errors.
        given: options a person has set; the others are found out.
        stored: options that came with the weights.
        assumed: what holds where the weights cannot tell; default as released.

    Raises:
        BackendError: another model's weights; an option that does not fit; or options that
            the weights leave open and have to be given.
    """
    _check_model(shapes, what)
    assumed = assumed or Options()
    fitting = [options for options in _variants(assumed) if _fits(options, shapes)]
    if not fitting:
        raise BackendError(
            f"{what}: no options of the track classifier give layers of these sizes "
            f"({_sizes(shapes)}); use another checkpoint"
        )
    if stored is not None:
        if not _fits(stored, shapes):
            raise BackendError(
                f"{what}: its stored options do not fit its weights ({_sizes(shapes)}); "
                "convert the checkpoint again"
            )
        fitting, assumed = [stored], stored
    for name, value in given.items():
        rest = [
            replace(o, **{name: value})  # type: ignore[arg-type]
            for o in fitting
            if _allows(o, name, value, stored)
        ]
        if not rest:
            raise BackendError(
                f"{what}: option {name}: {_text(value)} does not fit the weights; "
                f"set it to {_text(getattr(fitting[0], name))}, or leave it out"
            )
        fitting = rest
    return _nearest(fitting, assumed, what)


def _problem(values: Mapping[str, Any]) -> str:
    """Return what is wrong with the values of all options, or nothing."""
    for name, allowed in VALUES.items():
        if not isinstance(values[name], type(allowed[0])) or values[name] not in allowed:
            return f"{name} is {values[name]!r}, not {' or '.join(map(_text, allowed))}"
    late = values["dino"] and values["dino_later"] and values["dino_woatt"]
    if values["oanet"] and late:
        return "oanet takes dino only with dino_later or dino_woatt set to false"
    early = values["dino"] and not values["dino_later"]
    if not (values["tracks"] or values["depths"] or early):
        return "without tracks and depths there is no input; set one of them to true"
    return ""


def _check_model(shapes: Shapes, what: str) -> None:
    oanet = "decoder.conv1.weight" in shapes
    expected = Options(oanet=oanet, dino=not oanet).widths
    missing = [key for key in expected if len(shapes.get(key, ())) < 2]
    if missing:
        raise BackendError(
            f"{what} is no track classifier of the kind traj_oa_depth: {missing[0]} is missing; "
            "use the right checkpoint (the kind traj_seg is not supported)"
        )


def _variants(assumed: Options) -> Iterator[Options]:
    """Yield all variants; what is no flag is as in `assumed`."""
    rules = {"depth_lookup": assumed.depth_lookup, "depth_read": assumed.depth_read}
    flags = [name for name in VALUES if name not in rules]
    for chosen in itertools.product((True, False), repeat=len(flags)):
        values = {**dict(zip(flags, chosen, strict=True)), **rules}
        if not _problem(values):
            yield Options(**values)  # type: ignore[arg-type]


def _fits(options: Options, shapes: Shapes) -> bool:
    oanet = "decoder.conv1.weight" in shapes
    return options.oanet == oanet and all(
        shapes[key][1] == width for key, width in options.widths.items()
    )


def _allows(options: Options, name: str, value: bool | str, stored: Options | None) -> bool:
    """True when an option has the value, or is no property of the weights."""
    open_choice = stored is None and not isinstance(value, bool)
    return open_choice or getattr(options, name) == value


def _nearest(fitting: Sequence[Options], assumed: Options, what: str) -> Options:
    """Return the variant that differs least from the assumed one."""
    distance = [
        sum(getattr(o, f.name) != getattr(assumed, f.name) for f in fields(Options))
        for o in fitting
    ]
    best = [o for o, d in zip(fitting, distance, strict=True) if d == min(distance)]
    if len(best) > 1:
        unclear = [
            field.name
            for field in fields(Options)
            if len({getattr(options, field.name) for options in best}) > 1
        ]
        raise BackendError(
            f"{what}: the weights do not tell {' from '.join(unclear)}; set these options"
        )
    return best[0]


def _sizes(shapes: Shapes) -> str:
    keys = {**Options().widths, "decoder.conv1.weight": 0}
    return ", ".join(f"{key} {tuple(shapes[key])}" for key in keys if key in shapes)


def _text(value: bool | str) -> str:
    return str(value).lower()
