# SPDX-License-Identifier: Apache-2.0
"""What a scene sets and the network does not apply: the client should know before paying, and what happens instead."""

from collections.abc import Iterator
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

from node.engines.blender.inside.choice import Found, chosen_layer

_PATTERNS: Final = ("AUTOMATIC", "TABULATED_SOBOL")  # Blender's own choice, and what it is here
_OUTPUTS: Final = ("ShaderNodeOutputMaterial", "ShaderNodeOutputWorld")


def ignored(scene: Any) -> Iterator[Found]:
    """A warning each. Asked when the scene is loaded: to render it, all of this is set otherwise."""
    yield from (
        (code, message, name, "warning")
        for applies, code, message, name in (*_left_out(scene), *_sampled_otherwise(scene))
        if applies
    )


def _left_out(scene: Any) -> Iterator[tuple[bool, str, str, str]]:
    render = scene.render
    strips = bool(scene.sequence_editor and scene.sequence_editor.strips_all)
    yield (
        render.use_sequencer and strips,
        "sequencer",
        "the video sequencer is not applied: the scene's camera is rendered",
        "",
    )
    yield len(bpy.data.scenes) > 1, "scenes", f"only the scene {scene.name} is rendered", scene.name
    yield render.use_freestyle, "freestyle", "Freestyle's lines are not drawn: the frames come without them", ""
    yield render.use_stamp, "stamp", "nothing is burned into the pictures: they come without the scene's metadata", ""
    yield render.use_border, "border", "the render region is not applied: the whole frame is rendered and charged", ""
    yield (
        not scene.cycles.use_denoising,
        "denoising",
        "the pictures are denoised though the scene's are not: `inferix fetch --raw` brings what was rendered",
        "",
    )


def _sampled_otherwise(scene: Any) -> Iterator[tuple[bool, str, str, str]]:
    cycles, layer = scene.cycles, chosen_layer(scene)
    yield (
        cycles.use_adaptive_sampling,
        "adaptive_sampling",
        "adaptive sampling is not applied: every pixel gets all the samples that are ordered, and is charged for them",
        "",
    )
    yield (
        cycles.use_guiding,
        "path_guiding",
        "path guiding is not applied: the same samples may leave more noise",
        "",
    )
    yield (
        not cycles.volume_biased and _has_volumes(),
        "volumes",
        "volumes are rendered biased, in steps of the scene's step rate: they may look a little different",
        "",
    )
    yield (
        cycles.sampling_pattern not in _PATTERNS,
        "sampling_pattern",
        "the scene's sampling pattern is not applied: it is Classic (Tabulated Sobol), whose noise looks different",
        "",
    )
    yield (
        cycles.scrambling_distance != 1 or cycles.auto_scrambling_distance,
        "scrambling",
        "the scrambling distance is not applied: it is 1, and no pixel's noise follows its neighbour's",
        "",
    )
    yield (
        cycles.use_layer_samples != "IGNORE" and layer.samples > 0,
        "layer_samples",
        f"the {layer.samples} samples of the view layer {layer.name} are not applied: it gets those that are ordered",
        layer.name,
    )
    yield (
        cycles.use_sample_subset,
        "sample_subset",
        "the sample subset is not applied: all the samples that are ordered are rendered",
        "",
    )
    yield (
        cycles.time_limit > 0,
        "time_limit",
        f"the time limit of {cycles.time_limit:g} s is not applied: every frame gets all its samples",
        "",
    )


def _has_volumes() -> bool:
    if len(bpy.data.volumes):
        return True
    trees = (owner.node_tree for owner in (*bpy.data.materials, *bpy.data.worlds) if owner.node_tree is not None)
    nodes = (node for tree in trees for node in tree.nodes)
    return any(node.bl_idname in _OUTPUTS and node.inputs["Volume"].is_linked for node in nodes)
