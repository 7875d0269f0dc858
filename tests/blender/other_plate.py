"""A shot that the command line made, in another colour space: looked at, and gone on with."""

import bpy
import stage


def play(given):
    stage.install(given["zip"])
    scene, frame = bpy.context.scene, given["frame"]
    scene.frame_start, scene.frame_end = given["first"], given["last"]
    tree = stage.tree(scene)
    tree.nodes.clear()
    plate = stage.reader(tree.nodes, given["plate"], given["first"], given["last"])
    plate.image.colorspace_settings.name = given["space"]
    node = stage.part("operators").add(tree)
    tree.links.new(plate.outputs["Image"], node.inputs["Plate"])
    node.node_tree.lifemask.shot, node.node_tree.lifemask.likeness = given["shot"], "ada"
    bpy.ops.lifemask.refresh()
    controller = stage.swap_node(node).controller
    told = [controller.result.frames.sentence]
    stage.render(plate.outputs["Image"], given["before"], frame, frame)
    stage.render(node.outputs["Image"], given["after"], frame, frame)
    bpy.ops.lifemask.press(button="swap_frame", frames=str(frame + 1))
    return [*told, controller.result.frames.sentence]


if __name__ == "__main__":
    stage.act(play)
