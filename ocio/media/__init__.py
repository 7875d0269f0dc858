"""Frames of footage, read and written: sequences, stills and movies."""
