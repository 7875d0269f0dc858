"""Training: one trainer, its data, augmentation and losses, for every network of Lifemask."""

MODEL = "model.safetensors"
"""File in the folder of a run: what it has come to so far."""
