"""Pixels in and out: frames of footage, colour, and what both need of the system."""
