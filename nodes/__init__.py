"""The nodes. Importing this package declares them all and stays light: no torch, no host."""

from lifemask.nodes.declaration import Knob, Node
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.swap import Swap
from lifemask.nodes.track import Track
from lifemask.nodes.train import Train
from lifemask.nodes.truth import Truth

__all__ = ["Faceset", "Knob", "Node", "Swap", "Track", "Train", "Truth"]
