"""The node group of a swap: the worker's layers, the artist's fixes, and the composite of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .tree_builder import TreeBuilder

if TYPE_CHECKING:
    from bpy.types import NodeSocket, NodeTree

    Layers = dict[str, NodeSocket]
    Shares = tuple[NodeSocket, NodeSocket, NodeSocket]

NAME = "Lifemask Swap"
READ, MADE = "Read", "Made"
"""The nodes that read the worker's files, and that say whether a frame has been made."""

INPUTS = (
    ("Plate", "NodeSocketColor", "The picture to change, from any nodes."),
    ("Add Occlusion", "NodeSocketFloat", "What lies in front of the face, too: roto or paint."),
    ("Remove Occlusion", "NodeSocketFloat", "What was taken for something in front and is not."),
    ("Paint", "NodeSocketColor", "Put on top, premultiplied, through its alpha."),
)
OUTPUTS = (
    ("Image", "NodeSocketColor", "The plate with the new face."),
    ("Swap", "NodeSocketColor", "The new face alone, premultiplied."),
    ("Raw", "NodeSocketColor", "The new face before it is composited."),
    ("Face Matte", "NodeSocketFloat", "Where the face is replaced."),
    ("Occlusion", "NodeSocketFloat", "What lies in front of it, fixes included."),
    ("Confidence", "NodeSocketFloat", "How sure Lifemask is."),
    ("ST Map", "NodeSocketVector", "Plate to face space; Z is 1 inside."),
)
COLOURS, MATTES, MAP = (
    ("Combined", "swap", "raw"),
    ("facematte", "occlusion", "confidence"),
    "stmap",
)
"""The layers of a result, by Blender's names for them."""


def new() -> NodeTree:
    """Return the node group of a swap that has no result yet: its image is the plate."""
    tree = bpy.data.node_groups.new(NAME, "CompositorNodeTree")
    for direction, sockets in (("INPUT", INPUTS), ("OUTPUT", OUTPUTS)):
        for name, kind, words in sockets:
            socket = tree.interface.new_socket(name, in_out=direction, socket_type=kind)
            socket.description = words
            if direction == "INPUT":
                socket.default_value = (0.0,) * 4 if kind == "NodeSocketColor" else 0.0
    build = TreeBuilder(tree)
    layers = _layers(build)
    occlusion, keep, anew = shares = _shares(build, layers)
    image = _image(build, layers, keep, anew)
    swap = _swap(build, layers, shares)
    rest = (layers[name] for name in ("confidence", MAP))
    build.frame("")
    build.add(
        "NodeGroupOutput",
        "Outputs",
        image,
        swap,
        layers["raw"],
        layers["facematte"],
        occlusion,
        *rest,
    )
    return tree


def connect(tree: NodeTree) -> None:
    """Connect the layers of the image that the group reads; one that it lacks stays black."""
    read = tree.nodes[READ]
    for name in (*COLOURS, *MATTES, MAP):
        if name in read.outputs:
            tree.links.new(read.outputs[name], tree.nodes[name].inputs[0])


def _layers(build: TreeBuilder) -> Layers:
    """Return the layers: black where the frame has not been made, whatever Blender reads there."""
    build.frame("The worker's files")
    build.add("CompositorNodeImage", READ).use_auto_refresh = True
    made = build.add("ShaderNodeValue", MADE).outputs[0]
    made.default_value = 0.0
    layers = {name: build.colour(name, 0.0, made, held=True) for name in COLOURS}
    layers.update({name: build.math(name, "MULTIPLY", 0.0, made) for name in MATTES})
    return {**layers, MAP: build.vector(MAP, "MULTIPLY", 0.0, made)}


def _shares(build: TreeBuilder, layers: Layers) -> Shares:
    """Return the occlusion with the fixes, what stays of the file's composite, and what is raw.

    Without a fix all of the file stays where it has a face. Where an occluder is added it fades
    as the matte does; where one is taken away, the raw face comes in.
    """
    build.frame("Fixes")
    face, before = layers["facematte"], layers["occlusion"]
    add, remove = (build.inputs[name] for name in ("Add Occlusion", "Remove Occlusion"))
    fix = build.math("Fix", "SUBTRACT", add, remove)
    after = build.math("Occlusion", "ADD", before, fix, clamp=True)
    free = build.math("Free of Occluders", "SUBTRACT", 1.0, after)
    was_free = build.math("Was Free", "SUBTRACT", 1.0, before)
    stays = build.math("Stays", "DIVIDE", free, was_free, clamp=True)
    unfixed = build.math("Not Fixed", "COMPARE", fix, 0.0, 0.0)
    alpha = build.alpha("Alpha of Swap", layers["swap"])
    has_face = build.math("Has a Face", "GREATER_THAN", alpha, 0.0)
    all_or_share = build.math("All or a Share", "MAXIMUM", stays, unfixed)
    keep = build.math("Keep", "MULTIPLY", all_or_share, has_face)
    less = build.math("Taken Away", "SUBTRACT", before, after)
    more_face = build.math("More Face", "MULTIPLY", face, less)
    matte = build.math("Matte of the File", "MULTIPLY", face, was_free)
    plate = build.math("Plate in the File", "SUBTRACT", 1.0, matte)
    return after, keep, build.math("Raw Comes In", "DIVIDE", more_face, plate, clamp=True)


def _image(build: TreeBuilder, layers: Layers, keep: NodeSocket, anew: NodeSocket) -> NodeSocket:
    """Return the plate with the face, paint on top, and the plate's alpha."""
    build.frame("Composite")
    plate, paint = build.inputs["Plate"], build.inputs["Paint"]
    file = build.over("File", plate, layers["Combined"], keep)
    face = build.over("Raw", file, layers["raw"], anew)
    held = build.math("Not Paint", "SUBTRACT", 1.0, build.alpha("Alpha of Paint", paint))
    painted = build.vector("Paint", "MULTIPLY_ADD", face, held, paint)
    return build.colour("Image", painted, build.alpha("Alpha of Plate", plate))


def _swap(build: TreeBuilder, layers: Layers, shares: Shares) -> NodeSocket:
    """Return the face alone, premultiplied."""
    build.frame("Swap")
    _, keep, anew = shares
    file = build.vector("Kept of Swap", "MULTIPLY", layers["swap"], keep)
    alpha = build.math("Kept Alpha", "MULTIPLY", build.alpha("Its Alpha", layers["swap"]), keep)
    face = build.over("Raw in Swap", file, layers["raw"], anew)
    rest = build.math("Rest of Alpha", "SUBTRACT", 1.0, anew)
    whole = build.math("Alpha", "MULTIPLY_ADD", alpha, rest, anew)
    return build.colour("Swap Alone", face, whole)
