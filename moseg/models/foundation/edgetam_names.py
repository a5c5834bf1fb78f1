"""Key names of EdgeTAM's official checkpoint, and of `EdgeTamVideoModel` in memory."""

from __future__ import annotations

from collections.abc import Iterable

from moseg.models.foundation import sam2_names
from moseg.models.foundation.official_names import KeyTable
from moseg.models.foundation.sam2_names import Table, layers

LAYERS = 2
"""Of the attention to memories, and of the perceiver."""

TRUNK = "vision_encoder.backbone.timm_model."
"""Prefix of the image encoder in the network; its keys are timm's in both."""


def key_table(own: Iterable[str]) -> KeyTable:
    """Return official key -> keys of `EdgeTamVideoModel` but `sam2_names.COPIES`.

    Args:
        own: the network's keys, from which those of the image encoder are taken.
    """
    trunk: Table = {
        f"image_encoder.trunk.body.{key.removeprefix(TRUNK)}": (key,)
        for key in own
        if key.startswith(TRUNK)
    }
    forward = {"linear1": "mlp.up_proj", "linear2": "mlp.down_proj"}
    return {
        **trunk,
        **sam2_names.neck(),
        **sam2_names.prompts(),
        **sam2_names.decoder(),
        **sam2_names.memory_encoder(),
        **sam2_names.memory_attention(LAYERS, forward),
        **sam2_names.state(),
        **_perceiver(),
    }


def _perceiver() -> Table:
    """Return the keys of the part that turns a memory into 512 tokens."""
    prefix = "spatial_perceiver."
    table: Table = {f"{prefix}latents": (f"{prefix}latents_1d",)}
    table[f"{prefix}latents_2d"] = (f"{prefix}latents_2d",)
    norms = {"norm": "layer_norm"}
    for n in range(LAYERS):
        layer = f"{prefix}layers.{n}"
        norms |= {f"layers.{n}.attn.norm_x": f"layers.{n}.layer_norm_input"}
        norms |= {f"layers.{n}.attn.norm_latents": f"layers.{n}.layer_norm_latents"}
        norms |= {f"layers.{n}.self_attn.norm": f"layers.{n}.layer_norm_self"}
        for old, new in (("attn", "cross_attention"), ("self_attn", "self_attention")):
            parts = [f"{layer}.{new}.{part}_proj.weight" for part in "qkvo"]
            table[f"{layer}.{old}.to_q.weight"] = (parts[0],)
            table[f"{layer}.{old}.to_kv.weight"] = (parts[1], parts[2])
            table[f"{layer}.{old}.to_out.weight"] = (parts[3],)
        for old, new in (("ff", "mlp"), ("self_ff", "self_mlp")):
            norms[f"layers.{n}.{old}.0"] = f"layers.{n}.{new}.layer_norm"
            table[f"{layer}.{old}.1.weight"] = (f"{layer}.{new}.up_proj.weight",)
            table[f"{layer}.{old}.3.weight"] = (f"{layer}.{new}.down_proj.weight",)
    return table | layers(norms, prefix, prefix)
