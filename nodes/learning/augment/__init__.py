"""Augmentation of examples."""
