"""What runs inside Nuke and Blender."""
