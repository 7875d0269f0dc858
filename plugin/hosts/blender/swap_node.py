"""One swap of a scene: its settings, its inputs and what is shown of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable

import bpy

from ..common.controller import NodeController
from ..common.results import header
from . import colour_spaces, properties, result
from .background_render import Rendering
from .fingerprint import fingerprints
from .input_render import tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpy.types import Node, NodeTree, Scene

    from ...worker.client import Client
    from ..common.job_status import Status
    from ..common.node_host import Done
    from ..common.results import Frames, Pattern

SOCKETS = {
    "plate": "Plate",
    "add": "Add Occlusion",
    "remove": "Remove Occlusion",
    "paint": "Paint",
}


class SwapNode:
    """The `NodeHost` of a swap's node group; ``waits``: this Blender renders its inputs."""

    def __init__(self, tree: NodeTree, client: Client) -> None:
        """Ask nothing yet."""
        self._uid = tree.session_uid
        self._rendering: tuple[Rendering, Done] | None = None
        self.waits = False
        self.controller = NodeController(client, self, properties.remembered(tree))

    @property
    def tree(self) -> NodeTree:
        """The node group: Blender moves it in memory with every undo, so it is looked for."""
        return next(tree for tree in bpy.data.node_groups if tree.session_uid == self._uid)

    @property
    def status(self) -> Status:
        """What is to be drawn now."""
        now = self.controller.status
        if not self._rendering:
            return now
        done, total = self._rendering[0].done, len(self._rendering[0].frames)
        return replace(now, fraction=done / total, text=f"{now.text}, {done} of {total}")

    def values(self) -> dict[str, Any]:
        """Return what the node group is set to."""
        return properties.values(self.tree)

    def current_frame(self) -> int:
        """Return the frame of the timeline."""
        return int(bpy.context.scene.frame_current)

    def plate_frames(self) -> list[int]:
        """Return the frames of the scene."""
        scene = bpy.context.scene
        return list(range(scene.frame_start, scene.frame_end + 1))

    def fingerprints(self, frames: list[int]) -> dict[int, str]:
        """Return what the plate is made from at each frame; empty where that is not certain."""
        scene, node = self._place()
        plate = node.inputs[SOCKETS["plate"]]
        if not plate.is_linked:
            raise ValueError("Connect Plate first.")
        return fingerprints(scene, plate.links[0].from_socket, frames)

    def fixes(self) -> list[str]:
        """Return the artist's inputs that are connected."""
        inputs = self._place()[1].inputs
        sockets = {name: socket for name, socket in SOCKETS.items() if name != "plate"}
        names = [name for name, socket in sockets.items() if inputs[socket].is_linked]
        if not names:
            raise ValueError(f"Connect one of {', '.join(sockets.values())} first.")
        return names

    def render(self, inputs: Mapping[str, Pattern], frames: list[int], done: Done) -> None:
        """Render one frame at once, several in a second Blender."""
        scene, node = self._place()
        files = {SOCKETS[name]: pattern for name, pattern in inputs.items()}
        rendering = Rendering(scene.name, node.name, files, frames)
        self._rendering = rendering, done
        if self.waits or len(frames) == 1:
            rendering.run()
            self.poll()
        else:
            rendering.start()

    def poll(self) -> None:
        """Take over what a second Blender has rendered, when it has ended."""
        if not self._rendering:
            return
        rendering, done = self._rendering
        problem = ""
        try:
            if rendering.running:
                return
            rendering.adopt()
        except (OSError, RuntimeError) as error:
            problem = f"Blender cannot render the input: {error}"
        self.stop_rendering()
        done(problem)

    def stop_rendering(self) -> None:
        """End the second Blender."""
        if self._rendering:
            self._rendering[0].stop()
            self._rendering = None

    def show(self, pattern: Pattern, frames: Frames, replaced: bool) -> None:
        """Show the frames that can be shown, and the plate where there are none."""
        made = list(frames.made)
        space = header(pattern.file(made[0])).get("lifemask/colorspace", "") if made else ""
        name = colour_spaces.blenders(space) if made else ""
        result.show(self.tree, pattern, made, name, replaced)

    def refuse(self, sentence: str) -> None:
        """Leave the sentence to the sidebar, and to the operator."""

    def draw(self) -> None:
        """Keep what the shot has with the scene; a timer draws the sidebar."""
        properties.remember(self.tree, self.controller.shot)

    def run(self, act: Callable[[NodeController], None], poll: Callable[[], object]) -> None:
        """Do something to its end, as a farm wants it; raises RuntimeError when it fails."""
        self.waits = True
        try:
            act(self.controller)
            self.controller.finish(poll)
        finally:
            self.waits = False

    def _place(self) -> tuple[Scene, Node]:
        """Return the scene and the node that have this group; raises RuntimeError."""
        for scene in bpy.data.scenes:
            tree = tree_of(scene)
            for node in tree.nodes if tree else ():
                if getattr(node, "node_tree", None) == self.tree:
                    return scene, node
        raise RuntimeError("Put the node into the compositor of a scene first, outside of groups.")
