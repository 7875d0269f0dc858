"""What a picture in the graph is made from, as far as that is known without a render.

Only where it is certain: a picture that may come from anything else has no fingerprint.
"""

from __future__ import annotations

import hashlib
import os
import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from .input_render import above, on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpy.types import Image, Node, NodeSocket, Scene

_IMAGE = "CompositorNodeImage"
_GRADES = "Exposure", "BrightContrast", "Gamma", "HueSat", "ColorBalance", "Tonemap", "Invert"
_MOVES = "Transform", "Scale", "Crop", "Translate", "Rotate", "Flip", "Blur", "Filter", "Switch"
_MIXES = "AlphaOver", "MixRGB", "SetAlpha", "PremulKey", "ConvertColorSpace", "RGB"
_CERTAIN = {
    *(_IMAGE, "NodeReroute", "ShaderNodeMix"),
    *(f"CompositorNode{name}" for name in _GRADES + _MOVES + _MIXES),
}
"""Nodes whose picture depends on nothing but their settings and inputs, the same at every frame."""

_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")
_SOCKET = bpy.types.NodeSocket.bl_rna.properties


class _UncertainError(Exception):
    """What this picture is made from is not known."""


def fingerprints(scene: Scene, source: NodeSocket, frames: list[int]) -> dict[int, str]:
    """Return for each frame a text that changes when a socket's picture does.

    It is empty where that is not known: frames of a render or a group, anything animated.
    """
    try:
        graph = [source.identifier, *_scene(scene, source), *map(_text, above([source]))]
    except _UncertainError:
        return dict.fromkeys(frames, "")
    images = [node for node in above([source]) if node.bl_idname == _IMAGE and node.image]
    return {frame: _of_frame(graph, images, frame) for frame in frames}


def _stamp(file: Path) -> str:
    """Return what changes when a file is written; raises OSError when it is not there."""
    found = file.stat()
    return f"{file} {found.st_mtime_ns} {found.st_size}"


def _of_frame(graph: list[str], images: list[Node], frame: int) -> str:
    try:
        made_of = [*graph, *(_stamp(_file(node, frame)) for node in images)]
    except (_UncertainError, OSError):
        return ""
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()


def _scene(scene: Scene, source: NodeSocket) -> Iterator[str]:
    """Yield what every node looks at; scripts that run at each frame may change anything."""
    events = bpy.app.handlers
    scripts = (events.frame_change_pre, events.frame_change_post, events.render_pre)
    if scene.animation_data or source.id_data.animation_data or any(scripts):
        raise _UncertainError
    yield f"{bpy.app.version_string} {os.environ.get('OCIO')}"
    kinds = scene.render.bl_rna.properties
    yield from _settings(scene.render, {one.identifier for one in kinds if _points(one)})


def _text(node: Node) -> str:
    if node.bl_idname not in _CERTAIN:
        raise _UncertainError
    said = [node.name, node.bl_idname, str(node.mute)]
    empty = {one for one in ("layer", "view") if not getattr(node, f"has_{one}s", False)}
    said += _settings(node, {*bpy.types.Node.bl_rna.properties.keys(), "image", *empty})
    for socket in chain(node.inputs, node.outputs):
        said += [socket.identifier, *_settings(socket, set(_SOCKET.keys()))]
        wires = () if socket.is_output else socket.links
        said += [f"{w.from_node.name} {w.from_socket.identifier} {w.is_muted}" for w in wires]
    if node.bl_idname == _IMAGE and node.image:
        said += _picture(node.image)
    return "\n".join(said)


def _picture(image: Image) -> list[str]:
    if not on_disk(image):
        raise _UncertainError
    space = image.colorspace_settings.name
    return [image.source, image.alpha_mode, space, str(image.use_deinterlace)]


def _file(node: Node, frame: int) -> Path:
    """Return the file that an image node shows at a frame: Blender counts a sequence from 1."""
    path = Path(bpy.path.abspath(node.image.filepath, library=node.image.library))
    if node.image.source != "SEQUENCE":
        return path
    number, numbered = frame - node.frame_start + 1, _NUMBERED.fullmatch(path.stem)
    if not (numbered and 1 <= number <= node.frame_duration) or node.use_cyclic:
        raise _UncertainError
    digits = f"{number + node.frame_offset:0{len(numbered[2])}d}"
    return path.with_name(f"{numbered[1]}{digits}{numbered[3]}{path.suffix}")


def _settings(thing: Any, without: set[str]) -> Iterator[str]:  # noqa: ANN401
    """Yield the properties and their values; those that lead to something else are uncertain."""
    for one in thing.bl_rna.properties:
        if one.identifier in without:
            continue
        if _points(one):
            raise _UncertainError
        value = getattr(thing, one.identifier)
        yield f"{one.identifier} {tuple(value) if getattr(one, 'is_array', False) else value}"


def _points(kind: Any) -> bool:  # noqa: ANN401
    return kind.type in ("POINTER", "COLLECTION")
