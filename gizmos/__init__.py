"""The Nuke gizmos, written by `lifemask.plugin.packaging.gizmo`."""
