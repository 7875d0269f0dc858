"""Nuke's start with a window: the menu, and the panel."""

import nuke
from lifemask_nuke.hosts.nuke import panel, session

menu = nuke.menu("Nodes").addMenu("Lifemask")
menu.addCommand("Swap", "nuke.createNode('LifemaskSwap')")
menu.addCommand("Worker...", session.ask_for_worker)
panel.register()
