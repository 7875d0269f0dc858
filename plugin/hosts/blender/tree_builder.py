"""A node tree that is built from expressions, laid out so that an artist can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import bpy

if TYPE_CHECKING:
    from bpy.types import Node, NodeSocket, NodeTree

    Source = Union[NodeSocket, float]

_COLUMN, _ROW = 180.0, 190.0  # of the grid on which nodes are put, in pixels


class TreeBuilder:
    """Adds nodes to ``tree``, each one column to the right of what it reads.

    Colours are mixed as vectors: a Mix node of Blender 5.2 gives ``a + (b - a)``, which is not
    always ``b``, and what it does to alpha depends on the version.
    """

    def __init__(self, tree: NodeTree) -> None:
        """Start with the group's own ``inputs``."""
        self._tree = tree
        self._columns: dict[str, int] = {}
        self._rows: dict[int, int] = {}  # by column, how far down the next node goes
        self._below = 0
        self._frame: Any = None
        self.inputs = self.add("NodeGroupInput", "Inputs").outputs

    def frame(self, label: str) -> None:
        """Put the nodes that follow into a frame with a ``label``, below all others."""
        self._frame = self._tree.nodes.new("NodeFrame")
        self._frame.name = self._frame.label = label
        self._below = max(self._rows.values()) + 1
        self._rows = {}

    def add(self, kind: str, name: str, *sources: Source) -> Node:
        """Return a new node; its first inputs are linked to sockets or set to numbers."""
        node = self._tree.nodes.new(kind)
        node.name = node.label = name
        node.parent = self._frame
        column = max((self._wire(*pair) for pair in zip(node.inputs, sources)), default=0)
        row = self._rows.get(column, self._below)
        self._columns[node.name], self._rows[column] = column, row + 1
        node.location = column * _COLUMN, -row * _ROW
        return node

    def math(self, name: str, operation: str, *terms: Source, clamp: bool = False) -> NodeSocket:
        """Return ``operation`` of the ``terms``; ``clamp``: kept within 0..1."""
        node = self.add("ShaderNodeMath", name, *terms)
        node.operation, node.use_clamp = operation, clamp
        return node.outputs[0]

    def vector(self, name: str, operation: str, *terms: Source) -> NodeSocket:
        """Return ``operation`` of the ``terms``, of which a colour is its red, green and blue."""
        node = self.add("ShaderNodeVectorMath", name, *terms)
        node.operation = operation
        return node.outputs[0]

    def over(self, name: str, below: Source, above: Source, matte: Source) -> NodeSocket:
        """Return ``below`` where ``matte`` is 0 and ``above`` where it is 1, to the bit."""
        rest = self.math(f"Not {name}", "SUBTRACT", 1.0, matte)
        under = self.vector(f"Below {name}", "MULTIPLY", below, rest)
        return self.vector(name, "MULTIPLY_ADD", above, matte, under)

    def alpha(self, name: str, colour: Source) -> NodeSocket:
        """Return the alpha of ``colour``."""
        return self.add("CompositorNodeSeparateColor", name, colour).outputs[3]

    def colour(self, name: str, vector: Source, alpha: Source, held: bool = False) -> NodeSocket:
        """Return a colour with ``alpha`` in place of its own; ``held``: multiplied by it."""
        node = self.add("CompositorNodeSetAlpha", name, vector, alpha)
        if bpy.app.version >= (5, 0):
            node.inputs["Type"].default_value = "Apply Mask" if held else "Replace Alpha"
        else:
            node.mode = "APPLY" if held else "REPLACE_ALPHA"
        return node.outputs[0]

    def _wire(self, socket: NodeSocket, source: Source) -> int:
        """Return the first column in which a node can read ``source`` through its ``socket``."""
        if isinstance(source, (int, float)):
            plain = socket.type == "VALUE"
            socket.default_value = source if plain else (source,) * len(socket.default_value)
            return 0
        self._tree.links.new(source, socket)
        return self._columns[source.node.name] + 1
