# SPDX-License-Identifier: Apache-2.0
"""The scene's own compositor, on a frame whose raw pass was proven and denoised.

It gets the picture and its alpha in the place of the render. Other passes are not delivered: a compositor that wants
them is not applied, and pre-flight says so.
"""

from collections.abc import Iterator
from typing import Any, Final

from node.engines.blender.inside.choice import chosen_layer

_RENDER: Final = "CompositorNodeRLayers"
_WRITES: Final = "CompositorNodeOutputFile"
_GIVEN: Final = ("Image", "Alpha")


def missing(scene: Any) -> list[str] | None:
    """What the scene's compositor needs and does not get, in words; None where it has none, or it is off."""
    if not scene.render.use_compositing or scene.compositing_node_group is None:
        return None
    return sorted(set(_wants(scene, chosen_layer(scene).name)))


def says(wanted: list[str]) -> str:
    """Why it is not applied."""
    return f"the compositor is not applied: it needs {', '.join(wanted)}, and gets the picture and its alpha only"


def tree_over(scene: Any, image: Any) -> Any:
    """A copy of the scene's compositor, to be removed, in which ``image`` stands where the render does. Nothing in it
    writes a file."""
    tree = scene.compositing_node_group.copy()
    for node in list(tree.nodes):
        if node.bl_idname == _RENDER:
            given = tree.nodes.new("CompositorNodeImage")
            given.image = image
            for link in list(tree.links):
                if link.from_node == node:
                    tree.links.new(given.outputs[link.from_socket.name], link.to_socket)
        if node.bl_idname in (_RENDER, _WRITES):
            tree.nodes.remove(node)
    return tree


def _wants(scene: Any, layer: str) -> Iterator[str]:
    tree = scene.compositing_node_group
    for group in _groups(tree):
        if any(node.bl_idname == _RENDER for node in group.nodes):
            yield f"renders inside of the group {group.name}"
    for node in tree.nodes:
        if node.bl_idname == _RENDER:
            if node.scene not in (None, scene):
                yield f"a render of the scene {node.scene.name}"
            elif node.layer != layer:
                yield f"the view layer {node.layer}"
            used = [output.name for output in node.outputs if output.is_linked]
            yield from (f"the pass {name}" for name in used if name not in _GIVEN)


def _groups(tree: Any) -> set[Any]:
    found: set[Any] = set()
    waiting = [tree]
    while waiting:
        for node in waiting.pop().nodes:
            inner = getattr(node, "node_tree", None)
            if inner is not None and inner not in found:
                found.add(inner)
                waiting.append(inner)
    return found
