"""The nodes. Importing this package declares them all and stays light: no torch, no host."""

from lifemask.nodes.declare import Knob, Node
from lifemask.nodes.track import Track
from lifemask.nodes.truth import Truth

__all__ = ["Knob", "Node", "Track", "Truth"]
