"""Pixels in and out: sequences, EXR, movies and colour."""
