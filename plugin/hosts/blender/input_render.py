"""What flows into a node, written to disk: the artist's scene, frame and outputs stay as they are.

It runs by itself, too, so that Blender goes on meanwhile: a second Blender opens a copy of the
scene and runs this file with an `InputRender` as JSON, see `command`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import bpy

if TYPE_CHECKING:
    from bpy.types import Image, Node, NodeSocket, NodeTree, Scene

_OUTPUTS = "CompositorNodeOutputFile", "CompositorNodeViewer"
_STAMPS = "date", "time", "render_time", "frame", "scene", "camera", "filename", "memory"
"""What Blender would note in the header: without, the same pixels are the same bytes."""

_V5 = bpy.app.version >= (5, 0)


class InputRender(NamedTuple):
    """Write inputs of a node of a scene as ``folder/socket.####.exr``."""

    scene: str
    node: str
    sockets: list[str]
    folder: str
    frames: list[int]

    def run(self) -> None:
        """Write the frames, RGBA in full floats as they are computed, over those that are there.

        Raises OSError when Blender has not written one: it does not say so itself.
        """
        scene = bpy.data.scenes[self.scene].copy()
        tree = own_tree(scene)
        images: list[Image] = []
        try:
            inputs = tree.nodes[self.node].inputs
            sources = {name: inputs[name].links[0].from_socket for name in self.sockets}
            _keep_only(tree, sources.values())
            _silence(tree)
            images = _read_anew(tree)
            for name, source in sources.items():
                _write(tree, source, self.folder, name)
            for first, last in spans(self.frames):
                _render(scene, first, last)
        finally:
            bpy.data.scenes.remove(scene)
            if _V5:
                bpy.data.node_groups.remove(tree)
            for image in images:
                bpy.data.images.remove(image)
        files = (self.file(name, frame) for name in self.sockets for frame in self.frames)
        for missing in (file for file in files if not file.is_file()):
            raise OSError(f"{missing}: Blender has not written this frame of the input")

    def file(self, socket: str, frame: int) -> Path:
        """Return the file of a frame as Blender names it."""
        return Path(self.folder, f"{socket}.{frame:0{4 + (frame < 0)}d}.exr")


def spans(frames: list[int]) -> list[tuple[int, int]]:
    """Return the first and the last frame of each run without a gap.

    >>> spans([1005, 1001, 1002])
    [(1001, 1002), (1005, 1005)]
    """
    ordered, wanted = sorted(frames), set(frames)
    firsts = [frame for frame in ordered if frame - 1 not in wanted]
    return list(zip(firsts, (frame for frame in ordered if frame + 1 not in wanted)))


def tree_of(scene: Scene) -> NodeTree | None:
    """Return the compositor's tree of a scene."""
    return scene.compositing_node_group if _V5 else scene.node_tree


def own_tree(scene: Scene) -> NodeTree:
    """Return the tree of a copied scene, which is no longer that of the first."""
    if _V5:
        scene.compositing_node_group = scene.compositing_node_group.copy()
    return tree_of(scene)


def command(blend: str, render: InputRender) -> list[str]:
    """Return the command line that does a render on a scene file."""
    words = ["--", json.dumps(render)]
    if bpy.app.binary_path:
        start = [bpy.app.binary_path, "-b", blend, "--python-exit-code", "1", "--python", __file__]
    else:
        start = [sys.executable, __file__, blend]
    return start + words


def above(sources: Iterable[NodeSocket]) -> list[Node]:
    """Return the nodes that the sources need, their own among them, each once."""
    found: dict[str, Node] = {}
    waiting = [source.node for source in sources]
    while waiting:
        node = waiting.pop()
        if node.name not in found:
            found[node.name] = node
            waiting += [link.from_node for socket in node.inputs for link in socket.links]
    return list(found.values())


def on_disk(image: Image) -> bool:
    """Return whether an image is what its files hold, and these are known."""
    elsewhere = image.packed_file or image.is_dirty or image.use_multiview
    return image.source in ("FILE", "SEQUENCE", "MOVIE") and not elsewhere


def _keep_only(tree: NodeTree, sources: Iterable[NodeSocket]) -> None:
    """Remove what the sources do not need: a Render Layers node renders even if nobody reads it."""
    needed = {node.name for node in above(sources)}
    for node in [node for node in tree.nodes if node.name not in needed]:
        tree.nodes.remove(node)


def _read_anew(tree: NodeTree) -> list[Image]:
    """Let the image nodes read their files: what Blender holds may be older than these."""
    nodes = [node for node in tree.nodes if node.bl_idname == "CompositorNodeImage"]
    copies = []
    for node in [node for node in nodes if node.image and on_disk(node.image)]:
        node.image = node.image.copy()
        copies.append(node.image)
    return copies


def _silence(tree: NodeTree) -> None:
    """Take the outputs out of copies of the groups in a copied tree."""
    for node in tree.nodes:
        if getattr(node, "node_tree", None) and _writes(node.node_tree):
            node.node_tree = node.node_tree.copy()
            for output in [one for one in node.node_tree.nodes if one.bl_idname in _OUTPUTS]:
                node.node_tree.nodes.remove(output)
            _silence(node.node_tree)


def _writes(tree: NodeTree) -> bool:
    groups = (node.node_tree for node in tree.nodes if getattr(node, "node_tree", None))
    return any(node.bl_idname in _OUTPUTS for node in tree.nodes) or any(map(_writes, groups))


def _write(tree: NodeTree, source: NodeSocket, folder: str, name: str) -> None:
    node = tree.nodes.new("CompositorNodeOutputFile")
    form = node.format
    if _V5:
        form.media_type = "IMAGE"
        node.directory, node.file_name = folder, f"{name}."
        node.file_output_items.clear()
        node.file_output_items.new("RGBA", "")
    else:
        node.base_path = folder
        node.file_slots[0].path = f"{name}."
    form.file_format, form.color_depth, form.exr_codec = "OPEN_EXR", "32", "ZIP"
    form.color_mode = "RGBA"
    tree.links.new(source, node.inputs[0])


def _render(scene: Scene, first: int, last: int) -> None:
    scene.frame_start, scene.frame_end, scene.frame_step = first, last, 1
    scene.render.use_compositing, scene.render.use_sequencer = True, False
    for stamp in _STAMPS:
        setattr(scene.render, f"use_stamp_{stamp}", False)
    bpy.ops.render.render(animation=True, scene=scene.name)


def _main(words: list[str]) -> None:
    render = InputRender(*json.loads(words[-1]))
    if not bpy.app.binary_path:
        bpy.ops.wm.open_mainfile(filepath=words[0])
    render.run()


if __name__ == "__main__":
    _main(sys.argv[1:])
