"""Key names of the SAM 2 authors' checkpoints, part by part, and of `Sam2VideoModel` in memory.

The parts that EdgeTAM shares with SAM 2 are functions of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from moseg.models.foundation.official_names import KeyTable

Table = dict[str, tuple[str, ...]]
Names = Mapping[str, str]
"""Official name of a layer -> its name in the network; each has a weight and a bias."""

COPIES = {
    "shared_image_embedding.positional_embedding": "prompt_encoder.shared_embedding."
    "positional_embedding"
}
"""The network holds the random directions of position encodings twice (see `OfficialNames`)."""


def key_table(blocks: int, widening: Iterable[int], temporal: bool) -> KeyTable:
    """Return official key -> keys of `Sam2VideoModel` but `COPIES`.

    Args:
        blocks: of the image encoder.
        widening: the blocks whose output has more channels than their input.
        temporal: whether it is a SAM 2.1, which tells occlusion and the age of object pointers.
    """
    table = _trunk(blocks, widening) | neck() | prompts() | decoder() | memory_encoder()
    table |= memory_attention(4, {f"linear{i}": f"linear{i}" for i in (1, 2)}) | state()
    if temporal:
        table["no_obj_embed_spatial"] = ("occlusion_spatial_embedding_parameter",)
        table |= layers({"obj_ptr_tpos_proj": "temporal_positional_encoding_projection_layer"})
    return table


def layers(names: Names, old: str = "", new: str = "") -> Table:
    """Return the weights and biases of layers under one prefix each."""
    return {
        f"{old}{a}.{kind}": (f"{new}{b}.{kind}",)
        for a, b in names.items()
        for kind in ("weight", "bias")
    }


def _trunk(blocks: int, widening: Iterable[int]) -> Table:
    old, new = "image_encoder.trunk.", "vision_encoder.backbone."
    table: Table = {f"{old}{key}": (f"{new}{key}",) for key in ("pos_embed", "pos_embed_window")}
    table |= layers({"patch_embed.proj": "patch_embed.projection"}, old, new)
    block = {f"norm{i}": f"layer_norm{i}" for i in (1, 2)}
    block |= {key: key for key in ("attn.qkv", "attn.proj")}
    block |= {"mlp.layers.0": "mlp.proj_in", "mlp.layers.1": "mlp.proj_out"}
    for n in range(blocks):
        table |= layers(block, f"{old}blocks.{n}.", f"{new}blocks.{n}.")
    for n in widening:
        table |= layers({"proj": "proj"}, f"{old}blocks.{n}.", f"{new}blocks.{n}.")
    return table


def neck() -> Table:
    """Return the keys of the pyramid on top of the image encoder."""
    convs = {f"{n}.conv": str(n) for n in range(4)}
    return layers(convs, "image_encoder.neck.convs.", "vision_encoder.neck.convs.")


def prompts() -> Table:
    """Return the keys of the encoder of clicks and masks."""
    old, new = "sam_prompt_encoder.", "prompt_encoder."
    table: Table = {
        f"{old}pe_layer.positional_encoding_gaussian_matrix": (
            f"{new}shared_embedding.positional_embedding",
        )
    }
    for kind in range(4):
        table[f"{old}point_embeddings.{kind}.weight"] = (f"{new}point_embed.weight",)
    for key in ("not_a_point_embed.weight", "no_mask_embed.weight"):
        table[old + key] = (new + key,)
    steps = ("conv1", "layer_norm1", "conv2", "layer_norm2", "conv3")
    names = dict(zip("01346", steps, strict=True))
    return table | layers(names, f"{old}mask_downscaling.", f"{new}mask_embed.")


def decoder() -> Table:
    """Return the keys of the decoder of masks."""
    old, new = "sam_mask_decoder.", "mask_decoder."
    table: Table = {
        f"{old}{key}.weight": (f"{new}{key}.weight",)
        for key in ("iou_token", "mask_tokens", "obj_score_token")
    }
    names = {key: key for key in ("conv_s0", "conv_s1")}
    steps = ("upscale_conv1", "upscale_layer_norm", "upscale_conv2")
    names |= {f"output_upscaling.{n}": step for n, step in zip("013", steps, strict=True)}
    heads = [f"output_hypernetworks_mlps.{n}" for n in range(4)]
    for head in (*heads, "iou_prediction_head", "pred_obj_score_head"):
        names |= _three_layers(head, head)
    cross = ("cross_attn_token_to_image", "cross_attn_image_to_token")
    for n in range(2):
        layer = f"transformer.layers.{n}"
        for attention in ("self_attn", *cross):
            names |= _attention(f"{layer}.{attention}")
        names |= {f"{layer}.norm{i}": f"{layer}.layer_norm{i}" for i in range(1, 5)}
        names[f"{layer}.mlp.layers.0"] = f"{layer}.mlp.proj_in"
        names[f"{layer}.mlp.layers.1"] = f"{layer}.mlp.proj_out"
    names |= _attention("transformer.final_attn_token_to_image")
    names["transformer.norm_final_attn"] = "transformer.layer_norm_final_attn"
    return table | layers(names, old, new)


def memory_attention(count: int, forward: Names) -> Table:
    """Return the keys of the attention to memories.

    Args:
        count: layers.
        forward: names of a layer's feed-forward part.
    """
    names = {"norm": "layer_norm"}
    for n in range(count):
        for attention in ("self_attn", "cross_attn_image"):
            names |= _attention(f"layers.{n}.{attention}")
        names |= {f"layers.{n}.norm{i}": f"layers.{n}.layer_norm{i}" for i in (1, 2, 3)}
        names |= {f"layers.{n}.{a}": f"layers.{n}.{b}" for a, b in forward.items()}
    return layers(names, "memory_attention.", "memory_attention.")


def memory_encoder() -> Table:
    """Return the keys of the encoder of memories."""
    names = {"pix_feat_proj": "feature_projection", "out_proj": "projection"}
    for n in range(4):
        steps = f"mask_downsampler.layers.{n}"
        names[f"mask_downsampler.encoder.{3 * n}"] = f"{steps}.conv"
        names[f"mask_downsampler.encoder.{3 * n + 1}"] = f"{steps}.layer_norm"
    names["mask_downsampler.encoder.12"] = "mask_downsampler.final_conv"
    fuser = {
        "dwconv": "depthwise_conv",
        "norm": "layer_norm",
        "pwconv1": "pointwise_conv1",
        "pwconv2": "pointwise_conv2",
    }
    table: Table = {}
    for n in range(2):
        old, new = f"fuser.layers.{n}", f"memory_fuser.layers.{n}"
        names |= {f"{old}.{a}": f"{new}.{b}" for a, b in fuser.items()}
        table[f"memory_encoder.{old}.gamma"] = (f"memory_encoder.{new}.scale",)
    return table | layers(names, "memory_encoder.", "memory_encoder.")


def state() -> Table:
    """Return the keys of the single vectors, the object pointer and the mask prompt."""
    table: Table = {
        "maskmem_tpos_enc": ("memory_temporal_positional_encoding",),
        "no_mem_embed": ("no_memory_embedding",),
        "no_mem_pos_enc": ("no_memory_positional_encoding",),
        "no_obj_ptr": ("no_object_pointer",),
    }
    names = _three_layers("obj_ptr_proj", "object_pointer_proj")
    return table | layers({**names, "mask_downsample": "mask_downsample"})


def _three_layers(old: str, new: str) -> dict[str, str]:
    parts = ("proj_in", "layers.0", "proj_out")
    return {f"{old}.layers.{n}": f"{new}.{part}" for n, part in enumerate(parts)}


def _attention(name: str) -> dict[str, str]:
    kept = {f"{name}.{part}_proj": f"{name}.{part}_proj" for part in "qkv"}
    return {**kept, f"{name}.out_proj": f"{name}.o_proj"}
