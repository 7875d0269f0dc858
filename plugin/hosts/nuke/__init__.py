"""Lifemask in Nuke 14 to 17: what runs in Nuke's own Python.

Standard library, Nuke and its Qt only, Python 3.9. `make nuke` puts this into a folder for Nuke's
plug-in path, where it is the package ``lifemask_nuke.hosts.nuke``.
"""
