"""A node that a studio added: its property, its buttons and a press, inside of Blender."""

from itertools import chain
from types import SimpleNamespace

import bpy
import stage
from layout import Layout


def play(given):
    stage.install(given["zip"])
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1001, 1002, 24
    scene.render.resolution_x, scene.render.resolution_y = 240, 180
    stage.render_soon(scene)
    tree = stage.tree(scene)
    tree.nodes.clear()
    plate = stage.reader(tree.nodes, given["plate"], 1001, 1002)
    node = stage.part("operators").add(tree)
    tree.links.new(plate.outputs["Image"], node.inputs["Plate"])
    settings = node.node_tree.lifemask
    settings.shot, settings.toy_gain = given["shot"], 2.0
    gain, unit = (settings.bl_rna.properties[name] for name in ("toy_gain", "unit"))
    for button in ("shot_new", "toy"):
        bpy.ops.lifemask.press(button=button)
    return {
        "gain": [gain.hard_min, gain.hard_max, gain.default],
        "units": [item.identifier for item in unit.enum_items],
        "shown": [button.label for button in shown()],
        "drawn": drawn(node),
    }


def shown():
    """The buttons of the sidebar, in order."""
    declared = stage.common("declared")
    first = [button for button in declared.buttons() if not button.makes and button.command]
    rows = declared.sections(declared.work_buttons()).values()
    return [*chain.from_iterable(rows), *first]


def drawn(node):
    """What the sidebar shows."""
    found = []
    context = SimpleNamespace(active_node=node, space_data=SimpleNamespace(edit_tree=None))
    for kind in stage.part("panel").classes()[1:]:
        kind.draw(SimpleNamespace(layout=Layout(found)), context)
    return found


if __name__ == "__main__":
    stage.act(play)
