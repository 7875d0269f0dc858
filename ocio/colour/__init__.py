"""Colour spaces by name; OpenColorIO converts."""
