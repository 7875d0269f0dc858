"""From an empty scene to a fixed swap, as an artist goes: run inside of Blender by test_blender."""

import os
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import bpy
import stage
from layout import Layout

sys.path.append(str(Path(__file__).parents[1]))
from button_effects import effects


def play(given):
    os.environ["OCIO"] = stage.own_configuration()
    stage.install(given["zip"])
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = given["first"], given["last"]
    scene.render.resolution_x, scene.render.resolution_y = given["size"]
    scene.render.fps = 24
    stage.render_soon(scene)
    node = built(scene, given)
    told = {"refused": refusals(node)}
    for button in ("shot_new", "release_add", "track", "faceset", "swap_frame"):
        press(button, str(given["first"] + 1) if button == "swap_frame" else "")
    told["duplicated"] = duplicated(node)
    told["panel"], told["buttons"] = panel(node)
    told["killed"] = killed(node, given)
    told["own"] = Path(given["own"]).exists()
    stage.render(node.outputs["Image"], given["plain"], given["first"], given["last"])
    told["stopped"] = stopped(node, given)
    told["restored"] = restored(given)
    told["rendered"] = rendered(node, given)
    told["remade"] = remade(node, given)
    told["fixed"] = fixed(scene, node, given)
    bpy.ops.wm.save_as_mainfile(filepath=given["blend"])
    told["scenes"] = [scene.name for scene in bpy.data.scenes]
    told["effects"] = effects_of_buttons(node, given)
    stage.part("extension").unregister()
    told["heavy"] = [name for name in ("torch", "cv2", "lifemask.nodes") if name in sys.modules]
    return told


def built(scene, given):
    """A plate that is graded before the swap gets it."""
    tree = stage.tree(scene)
    tree.nodes.clear()
    own = tree.nodes.new("CompositorNodeOutputFile")
    setattr(own, "directory" if stage.V5 else "base_path", given["own"])
    plate = stage.reader(tree.nodes, given["plate"], given["first"], given["last"])
    grade = tree.nodes.new("CompositorNodeExposure")
    grade.inputs["Exposure"].default_value = 0.25
    tree.links.new(plate.outputs["Image"], grade.inputs["Image"])
    node = stage.part("operators").add(tree)
    tree.links.new(grade.outputs["Image"], node.inputs["Plate"])
    tree.links.new(grade.outputs["Image"], own.inputs[0])
    for name, value in given["settings"].items():
        setattr(node.node_tree.lifemask, name, value)
    return node


def press(button, frames=""):
    bpy.ops.lifemask.press(button=button, frames=frames)


def refusals(node):
    """What a button says that cannot be pressed yet; what names no swap."""
    said = []
    shot, node.node_tree.lifemask.shot = node.node_tree.lifemask.shot, ""
    said.append(refusal(button="track"))
    node.node_tree.lifemask.shot = shot
    said.append(refusal(button="track"))
    said.append(refusal(button="track", swap="nobody"))
    said.append(refusal(bpy.ops.lifemask.copy_fixes))
    said.append(refusal(button="nope"))
    return said


def duplicated(node):
    """Whether a copy that shows nothing leaves what the swap it was copied from shows."""
    tree = node.node_tree
    before, copy = keys(tree), tree.copy()
    stage.part("result").show(copy, None, [], "")
    same, shown = keys(tree) == before, bool(keys(copy))
    bpy.data.node_groups.remove(copy)
    return {"same": same, "shown": shown, "keys": len(before)}


def keys(tree):
    data = tree.animation_data
    curves = data.action.layers[0].strips[0].channelbag(data.action_slot).fcurves
    return [(curve.data_path, *point.co) for curve in curves for point in curve.keyframe_points]


def refusal(operator=bpy.ops.lifemask.press, **words):
    try:
        operator(**words)
    except RuntimeError as error:
        return str(error)
    return ""


def killed(node, given):
    """Let the worker be killed when it has begun, see what is said, and press again."""
    controller = stage.swap_node(node).controller
    Path(given["kill"]).write_text("SIGKILL swap 0")
    controller.press("swap_range", given["range"])
    watch(lambda: None)
    told = {"text": controller.text, "made": controller.shot.result.frames()}
    press("swap_range", given["range"])
    return {**told, "then": controller.shot.result.frames(), "said": controller.text}


def watch(meanwhile):
    """What the window's timer does, until nothing goes on any more."""
    kind = stage.part("operators").Watch
    timers = SimpleNamespace(
        windows=[],
        event_timer_add=lambda seconds, window: seconds,
        event_timer_remove=lambda timer: None,
        modal_handler_add=lambda operator: None,
    )
    context = SimpleNamespace(window=None, window_manager=timers)
    operator = SimpleNamespace()
    operator.cancel = lambda context: kind.cancel(operator, context)
    assert kind.invoke(operator, context, None) == {"RUNNING_MODAL"}
    while kind.modal(operator, context, SimpleNamespace(type="TIMER")) == {"PASS_THROUGH"}:
        assert kind.modal(operator, context, SimpleNamespace(type="MOUSEMOVE")) == {"PASS_THROUGH"}
        meanwhile()
        time.sleep(0.005)


def stopped(node, given):
    """Stop while the plate is rendered, as its grade is another; nothing is left of that."""
    swap = stage.swap_node(node)
    exposure = node.inputs["Plate"].links[0].from_node.inputs["Exposure"]
    exposure.default_value = 0.5
    swap.controller.press("swap_range", given["range"])
    watch(lambda: swap.status.text.startswith("Plate") and bpy.ops.lifemask.stop())
    exposure.default_value = 0.25
    left = Path(given["settings"]["shot"], "plate").glob(".*")
    return {"left": [path.name for path in left], "text": swap.status.text}


def restored(given):
    """Somebody writes over a frame of the plate on disk; the graph's comes back with a press."""
    frame = given["first"] + 1
    file = Path(given["settings"]["shot"], "plate", f"plate.{frame}.exr")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    press("swap_frame", str(frame))
    return file.read_bytes() == whole


def rendered(node, given):
    """Whether the plate's frame is rendered anew, after each step; whether a press does it, too."""
    frame, tree, render = given["first"] + 1, node.id_data, bpy.context.scene.render
    link, grade = tree.links.new, node.inputs["Plate"].links[0].from_node
    exposure, layers = grade.inputs["Exposure"], tree.nodes.new("CompositorNodeRLayers")
    alpha = tree.nodes.new("CompositorNodeSetAlpha")
    link(grade.outputs[0], alpha.inputs["Image"])
    source = Path(given["plate"]).with_name(Path(given["plate"]).name.replace("1001", str(frame)))
    whole = source.read_bytes()
    steps = {
        "nothing": lambda: None,
        "node moved": lambda: setattr(grade, "location", (100, 50)),
        "graded": lambda: setattr(exposure, "default_value", 0.5),
        "graded back": lambda: setattr(exposure, "default_value", 0.25),
        "node added": lambda: link(alpha.outputs[0], node.inputs["Plate"]),
        "wire moved": lambda: move(alpha, "Image", "Alpha"),
        "node taken out": lambda: link(grade.outputs[0], node.inputs["Plate"]),
        "smaller": lambda: setattr(render, "resolution_percentage", 50),
        "as large": lambda: setattr(render, "resolution_percentage", 100),
        "another file": lambda: shutil.copyfile(given["plate"], source),
        "its file": lambda: source.write_bytes(whole),
        "animated": lambda: exposure.keyframe_insert("default_value", frame=1),
        "still animated": lambda: None,
        "no longer": tree.animation_data_clear,
        "rendered": lambda: link(layers.outputs[0], node.inputs["Plate"]),
        "still rendered": lambda: None,
        "back": lambda: link(grade.outputs[0], node.inputs["Plate"]),
    }
    told = {name: anew(node, step, frame) for name, step in steps.items()}
    bpy.app.handlers.render_complete.append(lambda *_: told.update(press=True))
    press("swap_frame", str(frame))
    bpy.app.handlers.render_complete.clear()
    tree.nodes.remove(alpha)
    tree.nodes.remove(layers)
    return told


def move(node, first, then):
    """Take the wire from one input to another."""
    (wire,) = node.inputs[first].links
    source = wire.from_socket
    node.id_data.links.remove(wire)
    node.id_data.links.new(source, node.inputs[then])


def anew(node, step, frame):
    """Take a step and bring the plate up to date: what of it was rendered, and what has changed."""
    step()
    plate = stage.swap_node(node).controller.shot.plate
    known = stage.common("plate_frames").PlateFrames(plate)
    scene, source = bpy.context.scene, node.inputs["Plate"].links[0].from_socket
    made_of = stage.part("fingerprint").fingerprints(scene, source, [frame])
    if not known.stale(made_of):
        return "kept"
    kind = stage.part("background_render").Rendering
    rendering = kind(scene.name, node.name, {"Plate": plate}, [frame])
    rendering.run()
    changed = rendering.adopt()
    rendering.stop()
    known.rendered(made_of)
    return "changed" if changed else "the same"


def remade(node, given):
    """A frame that is made again, brighter, is shown again; so is the first, by its version."""
    settings, frame = node.node_tree.lifemask, given["first"] + 1
    settings.version = 3
    told = []
    for exposure in (0.0, 1.0):
        settings.swap_exposure = exposure
        press("swap_frame", str(frame))
        stage.render(node.outputs["Image"], f"{given['remade']}{exposure:g}", frame, frame)
        told.append(stage.swap_node(node).controller.result.frames.sentence)
    settings.version, settings.swap_exposure = 1, 0.0
    return told


def fixed(scene, node, given):
    """Roto before the face: the picture changes with it, and the worker is asked nothing."""
    controller = stage.swap_node(node).controller
    jobs = controller.job.id
    roto = stage.roto(scene, 0.0)
    stage.tree(scene).links.new(roto.outputs[0], node.inputs["Add Occlusion"])
    frame = given["first"] + 1
    stage.render(node.outputs["Image"], given["left"], frame, frame)
    stage.move(roto, 0.5)
    stage.render(node.outputs["Image"], given["right"], frame, frame)
    bpy.ops.lifemask.copy_fixes(frames=str(frame))
    return {"jobs": controller.job.id - jobs, "text": controller.text}


def effects_of_buttons(node, given):
    """What each button would do to the plate of another shot, and ask of the worker."""
    settings = node.node_tree.lifemask
    settings.shot = given["another"]
    kind, job = stage.part("swap_node").SwapNode, stage.worker("job").Job
    names = [button.name for button in stage.common("declared").buttons() if button.command]
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = given["first"], given["last"]
    scene.frame_current = given["first"] + 1
    return effects(lambda client: kind(node.node_tree, client), job, names)


def panel(node):
    """What the sidebar shows, and what its buttons press."""
    drawn, buttons = [], []
    context = SimpleNamespace(active_node=node, space_data=SimpleNamespace(edit_tree=None))
    for kind in stage.part("panel").classes()[1:]:
        kind.draw(SimpleNamespace(layout=Layout(drawn, buttons)), context)
    return drawn, buttons


if __name__ == "__main__":
    stage.act(play)
