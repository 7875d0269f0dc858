"""The Nuke gizmos, written by `python -m lifemask.plugin.gizmo` from the nodes' declaration."""
