"""What the scripts that run inside of Blender share: the extension, a scene, its picture."""

import json
import os
import sys
import traceback
from functools import partial
from pathlib import Path

import addon_utils
import bpy

V5 = bpy.app.version >= (5, 0)
EXTENSION = "bl_ext.user_default.lifemask"


def install(zip_file):
    addon_utils.enable("bl_pkg")
    bpy.ops.extensions.package_install_files(
        repo="user_default", filepath=zip_file, enable_on_install=True
    )
    session = part("session")
    session.Client = partial(session.Client, patience=float(os.environ["PATIENCE"]))


def render_soon(scene):
    """Let a scene be rendered at once: without a graphics card Eevee takes minutes."""
    addon_utils.enable("cycles")
    scene.render.engine, scene.cycles.samples = "CYCLES", 1


def own_configuration():
    """What a Blender with a window puts into its environment as OCIO."""
    return f"{bpy.utils.system_resource('DATAFILES', path='colormanagement')}/config.ocio"


def part(name):
    return sys.modules[f"{EXTENSION}.plugin.hosts.blender.{name}"]


def swap_node(node):
    return part("session").SESSION.node(node.node_tree)


def common(name):
    return sys.modules[f"{EXTENSION}.plugin.hosts.common.{name}"]


def worker(name):
    return sys.modules[f"{EXTENSION}.plugin.worker.{name}"]


def tree(scene):
    if V5:
        if scene.compositing_node_group is None:
            group = bpy.data.node_groups.new("Compositor", "CompositorNodeTree")
            scene.compositing_node_group = group
        return scene.compositing_node_group
    scene.use_nodes = True
    return scene.node_tree


def reader(nodes, path, first, last):
    node = nodes.new("CompositorNodeImage")
    node.image = bpy.data.images.load(path)
    node.image.source = "SEQUENCE"
    node.frame_start, node.frame_duration = first, last - first + 1
    node.frame_offset = first - 1
    return node


def render(socket, folder, first, last):
    """Write what a socket has as folder/image.####.exr, in full floats."""
    scene, nodes = bpy.context.scene, socket.id_data.nodes
    node = nodes.new("CompositorNodeOutputFile")
    if V5:
        node.format.media_type = "IMAGE"
        node.directory, node.file_name = f"{folder}/", "image."
        node.file_output_items.clear()
        node.file_output_items.new("RGBA", "")
    else:
        node.base_path = f"{folder}/"
        node.file_slots[0].path = "image."
    node.format.file_format, node.format.color_depth = "OPEN_EXR", "32"
    node.format.color_mode = "RGBA"
    socket.id_data.links.new(socket, node.inputs[0])
    scene.frame_start, scene.frame_end = first, last
    bpy.ops.render.render(animation=True)
    nodes.remove(node)


def roto(scene, x):
    """Return a mask node: a square that begins at ``x``, 0..1 of the width."""
    mask = bpy.data.masks.new("roto")
    spline = mask.layers.new(name="layer").splines.new()
    spline.use_cyclic = True
    spline.points.add(3)  # to the one that is there
    node = tree(scene).nodes.new("CompositorNodeMask")
    node.mask = mask
    move(node, x)
    return node


def move(node, x):
    corners = ((x, 0), (x + 0.5, 0), (x + 0.5, 1), (x, 1))
    for point, corner in zip(node.mask.layers[0].splines[0].points, corners, strict=True):
        point.handle_left_type = point.handle_right_type = "VECTOR"
        point.co = corner


def act(play):
    """Run ``play`` with the words of the command line; write down what it returns.

    Blender 4.5 does not end by itself with an extension's classes registered.
    """
    status = 1
    try:
        told = play(json.loads(sys.argv[1]))
        Path(sys.argv[2]).write_text(json.dumps(told))
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(status)
