"""SAM 2 of all sizes from official key lists; what does not fit is named."""

from __future__ import annotations

import re

import pytest
import torch

from moseg.core.errors import BackendError
from moseg.models.foundation import sam2
from moseg.models.foundation.sam2_names import COPIES, key_table
from tests import parity
from tests.models.foundation.official import (
    SAM2,
    dinov2_shapes,
    official,
    sam2_shapes,
    unreal,
)

COUNTS = {"tiny": (468, 471), "small": (516, 519), "base+": (612, 615), "large": (900, 903)}
"""Size -> official keys of 2.0 and 2.1 (specs/foundation.md, 1.1)."""
HEADS = {"tiny": 1, "small": 1, "base+": 2, "large": 2}
WHOLE = {"tiny": (5, 7, 9), "small": (7, 10, 13), "base+": (12, 16, 20), "large": (23, 33, 43)}
"""Size -> blocks that look at the whole image."""
WINDOWS = dict.fromkeys(SAM2, (8, 4, 14, 7)) | {"large": (8, 4, 16, 8)}
ALL = [(size, version) for size in SAM2 for version in ("2.0", "2.1")]


@pytest.mark.parametrize(("size", "version"), ALL)
def test_every_size_and_version_is_told_by_its_tensors(size, version):
    tensors = unreal(sam2_shapes(size, version))
    assert len(tensors) == COUNTS[size][version == "2.1"]
    network = sam2.build(official(tensors))
    state = network.state_dict()
    # Four point embeddings are one tensor in the library, the random directions two.
    assert len(state) == len(tensors) - 2
    assert len(network.vision_encoder.backbone.blocks) == sum(SAM2[size][1])
    config = network.config
    assert config.enable_occlusion_spatial_embedding is (version == "2.1")
    assert config.enable_temporal_pos_encoding_for_object_pointers is (version == "2.1")


@pytest.mark.parametrize("size", SAM2)
def test_blocks_look_where_the_tables_say(size):
    blocks = sam2.build(official(unreal(sam2_shapes(size)))).vision_encoder.backbone.blocks
    n = 0
    for stage, count in enumerate(SAM2[size][1]):
        for i in range(count):
            # The block that halves the resolution still has the windows of the stage before.
            window = WINDOWS[size][stage - 1 if stage and i == 0 else stage]
            assert blocks[n].window_size == (0 if n in WHOLE[size] else window)
            assert blocks[n].attn.num_attention_heads == HEADS[size] << stage
            assert (blocks[n].query_stride is not None) == (stage > 0 and i == 0)
            n += 1
    assert n == len(blocks)


@pytest.mark.parity
def test_rules_give_the_key_list_of_the_reference():
    listed = {key: tuple(v["shape"]) for key, v in parity.key_list("sam2_video").items()}
    assert sam2_shapes("tiny", "2.1") == listed


MLP = {"0": "proj_in", "1": "layers.0", "2": "proj_out"}
RULES = (
    (r"^maskmem_tpos_enc", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed", "no_memory_embedding"),
    (r"^no_mem_pos_enc", "no_memory_positional_encoding"),
    (r"^no_obj_ptr", "no_object_pointer"),
    (r"^no_obj_embed_spatial", "occlusion_spatial_embedding_parameter"),
    (r"^obj_ptr_proj", "object_pointer_proj"),
    (r"^obj_ptr_tpos_proj", "temporal_positional_encoding_projection_layer"),
    (r"^image_encoder.trunk", "vision_encoder.backbone"),
    (r"patch_embed.proj\b", "patch_embed.projection"),
    (r"^image_encoder.neck.convs.(\d).conv", r"vision_encoder.neck.convs.\1"),
    (r"^sam_prompt_encoder.pe_layer.*", "prompt_encoder.shared_embedding.positional_embedding"),
    (r"^sam_prompt_encoder.point_embeddings.\d", "prompt_encoder.point_embed"),
    (r"^sam_prompt_encoder", "prompt_encoder"),
    (r"mask_downscaling.0", "mask_embed.conv1"),
    (r"mask_downscaling.1", "mask_embed.layer_norm1"),
    (r"mask_downscaling.3", "mask_embed.conv2"),
    (r"mask_downscaling.4", "mask_embed.layer_norm2"),
    (r"mask_downscaling.6", "mask_embed.conv3"),
    (r"^sam_mask_decoder", "mask_decoder"),
    (r"output_upscaling.0", "upscale_conv1"),
    (r"output_upscaling.1", "upscale_layer_norm"),
    (r"output_upscaling.3", "upscale_conv2"),
    (r"^memory_encoder.out_proj", "memory_encoder.projection"),
    (r"pix_feat_proj", "feature_projection"),
    (r"\bfuser", "memory_fuser"),
    (r"gamma", "scale"),
    (r"dwconv", "depthwise_conv"),
    (r"pwconv", "pointwise_conv"),
    (r"downsampler.encoder.12", "downsampler.final_conv"),
    (
        r"downsampler.encoder.(\d+)",
        lambda m: f"downsampler.layers.{int(m[1]) // 3}.{('conv', 'layer_norm')[int(m[1]) % 3]}",
    ),
    (r"\bnorm(\d?)\b", r"layer_norm\1"),
    (r"norm_final_attn", "layer_norm_final_attn"),
    (r"out_proj", "o_proj"),
    (r"\bmlp.layers.0", "mlp.proj_in"),
    (r"\bmlp.layers.1", "mlp.proj_out"),
    (r"((?:mlps.\d|_head|pointer_proj)).layers.(\d)", lambda m: f"{m[1]}.{MLP[m[2]]}"),
)
"""The renaming in the words of specs/foundation.md, 2.1, from top to bottom."""


def renamed(key):
    for pattern, new in RULES:
        key = re.sub(pattern, new, key)
    return key


@pytest.mark.parametrize(("size", "version"), ALL)
def test_names_are_as_the_rules_say(size, version):
    expected = {key: (renamed(key),) for key in sam2_shapes(size, version)}
    found = next(s for s in sam2.SIZES if s.name == size)
    assert key_table(sum(found.blocks), found.widening, version == "2.1") == expected


@pytest.fixture(scope="module")
def numbered():
    """Official tiny tensors, each of one number of its own, and their network."""
    shapes = sam2_shapes("tiny")
    tensors = {key: torch.full((), float(i)).expand(s) for i, (key, s) in enumerate(shapes.items())}
    directions = "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
    tensors[directions] = torch.arange(256.0).reshape(2, 128)
    return tensors, sam2.build(official(tensors))


def test_values_go_to_their_places(numbered):
    tensors, network = numbered
    state = network.state_dict()
    for key, value in tensors.items():
        if "point_embeddings" not in key:
            assert torch.equal(state[renamed(key)], value), key
    points = [tensors[f"sam_prompt_encoder.point_embeddings.{n}.weight"] for n in range(4)]
    assert torch.equal(state["prompt_encoder.point_embed.weight"], torch.cat(points))
    assert len(set(state["prompt_encoder.point_embed.weight"][:, 0].tolist())) == 4


def test_both_copies_are_set_and_are_apart(numbered):
    state = numbered[1].state_dict()
    for copy, key in COPIES.items():
        assert torch.equal(state[copy], torch.arange(256.0).reshape(2, 128))
        assert torch.equal(state[copy], state[key])
        assert state[copy].data_ptr() != state[key].data_ptr()


def test_the_network_is_ready_for_use(numbered):
    _, network = numbered
    values = [*network.parameters(), *network.buffers()]
    assert {value.device.type for value in values} == {"cpu"}
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}
    assert not any(value.requires_grad for value in values)
    assert not any(module.training for module in network.modules())


def test_constants_that_no_file_holds_are_there(numbered):
    """Rotary frequencies 10000^(-2i / 128), and the cells (x, y) of 64 x 64 row by row."""
    memory = numbered[1].memory_attention
    expected = 10000.0 ** (-torch.arange(0, 128, 2) / 128)
    assert torch.allclose(memory.rotary_emb.inv_freq, expected)
    cells = [[x, y] for y in range(64) for x in range(64)]
    assert memory.position_ids.tolist() == cells


def test_half_precision_files_are_computed_in_full():
    tensors = {key: value.half() for key, value in unreal(sam2_shapes("tiny")).items()}
    network = sam2.build(official(tensors))
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}


def refusal(tensors):
    with pytest.raises(BackendError) as caught:
        sam2.build(official(tensors, "some.pt"))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("some.pt")
    return message


BEGIN, END = "some.pt does not fit this network: ", "; use the right checkpoint"


@pytest.mark.parametrize(
    "key",
    [
        "maskmem_tpos_enc",
        "image_encoder.trunk.blocks.11.mlp.layers.1.bias",
        "sam_prompt_encoder.point_embeddings.2.weight",
        "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "memory_encoder.fuser.layers.1.gamma",
    ],
)
def test_a_missing_key_is_told_by_its_official_name(key):
    tensors = unreal(sam2_shapes("tiny"))
    del tensors[key]
    assert refusal(tensors) == f"{BEGIN}missing: {key}{END}"


def test_a_cut_off_encoder_is_told():
    tensors = unreal(sam2_shapes("small"))
    cut = {key: value for key, value in tensors.items() if "trunk.blocks.15." not in key}
    assert "missing: image_encoder.trunk.blocks.15." in refusal(cut)
    cut = {key: value for key, value in tensors.items() if "trunk.blocks.11." not in key}
    assert "missing: image_encoder.trunk.blocks.11." in refusal(cut)


def test_unexpected_and_mis_shaped_keys_are_told():
    tensors = unreal(sam2_shapes("tiny"))
    tensors["image_encoder.trunk.blocks.11.proj.bias"] = torch.empty(768)
    assert refusal(tensors) == f"{BEGIN}unexpected: image_encoder.trunk.blocks.11.proj.bias{END}"
    tensors = unreal(sam2_shapes("tiny"))
    key = "sam_prompt_encoder.point_embeddings.3.weight"
    tensors[key] = torch.empty(2, 256)
    assert f"of another shape: {key} (2, 256) instead of (1, 256)" in refusal(tensors)


@pytest.mark.parametrize(("size", "other"), [("tiny", "large"), ("base+", "tiny")])
def test_parts_of_another_size_are_told(size, other):
    tensors = unreal(sam2_shapes(size))
    key = "image_encoder.neck.convs.0.conv.weight"
    tensors[key] = unreal(sam2_shapes(other))[key]
    assert f"of another shape: {key}" in refusal(tensors)


def test_mixtures_of_the_versions_are_told():
    new = unreal(sam2_shapes("large", "2.1"))
    without = {key: value for key, value in new.items() if key != "no_obj_embed_spatial"}
    pointers = "obj_ptr_tpos_proj.weight, obj_ptr_tpos_proj.bias"
    assert refusal(without) == f"{BEGIN}unexpected: {pointers}{END}"
    without = {key: value for key, value in new.items() if not key.startswith("obj_ptr_tpos")}
    assert refusal(without) == f"{BEGIN}missing: {pointers}{END}"


def test_other_networks_are_refused():
    key = "image_encoder.trunk.patch_embed.proj.weight"
    assert f"has no {key}" in refusal(unreal(dinov2_shapes("s")))
    for shape in ((128, 3, 7, 7), ()):
        tensors = {**unreal(sam2_shapes("tiny")), key: torch.empty(shape)}
        message = refusal(tensors)
        assert f"{key} has the shape {shape}" in message
        assert "one of 96, 112, 144" in message
