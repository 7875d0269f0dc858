"""Pixels in and out: frames of footage, colour, and the system functions that both need."""
