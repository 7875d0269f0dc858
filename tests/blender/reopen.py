"""A saved scene is opened and rendered, with the extension or without."""

import bpy
import stage


def play(given):
    if given["zip"]:
        stage.install(given["zip"])
    bpy.ops.wm.open_mainfile(filepath=given["blend"])
    scene = bpy.context.scene
    nodes = stage.tree(scene).nodes
    node = next(node for node in nodes if node.bl_idname == "CompositorNodeGroup")
    known = hasattr(node.node_tree, "lifemask")
    for link in list(node.inputs["Add Occlusion"].links):
        node.id_data.links.remove(link)
    stage.render(node.outputs["Image"], given["plain"], given["first"], given["last"])
    return {"known": known}


if __name__ == "__main__":
    stage.act(play)
