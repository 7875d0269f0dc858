"""Lifemask in Blender 4.5 to 5.2: what runs in Blender's own Python.

Standard library and bpy only. `make extension` puts it, with what it shares with other hosts, into
the zip that Blender installs.
"""
