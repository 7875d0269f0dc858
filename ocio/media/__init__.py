"""Frames of footage: sequences, stills and movies, read and written."""
