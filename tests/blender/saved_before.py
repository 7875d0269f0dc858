"""A scene that the last release saved, with the names its settings had, and what they are now."""

import bpy
import stage


def play(given):
    stage.install(given["zip"])
    if "values" in given:
        return saved(given)
    bpy.ops.wm.open_mainfile(filepath=given["blend"])
    (settings,) = [tree.lifemask for tree in stage.part("session").swaps()]
    old = [name for name in given["old"] if settings.is_property_set(name)]
    return {"values": {name: getattr(settings, name) for name in given["new"]}, "old": old}


def saved(given):
    tree = stage.tree(bpy.context.scene)
    settings = stage.part("operators").add(tree).node_tree.lifemask
    for name, value in given["values"].items():
        setattr(settings, name, value)
    bpy.ops.wm.save_as_mainfile(filepath=given["blend"])
    return {}


if __name__ == "__main__":
    stage.act(play)
