"""The nodes. Importing this package declares them all and stays light: no torch, no host."""

from lifemask.nodes.declare import Knob, Node
from lifemask.nodes.track import Track

__all__ = ["Knob", "Node", "Track"]
