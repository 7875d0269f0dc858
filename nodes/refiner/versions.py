"""The models that a shot can be swapped with: its own versions, and the base that is shipped."""

from pathlib import Path

from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.types import Model

BASE = Model(Path(__file__).with_name("base.safetensors"))
"""What ships with Lifemask; it learned from synthetic people only."""

MODEL = "model.safetensors"
"""File in the folder of a version: what its training has come to so far."""

PREVIEW = "preview.png"
"""File beside the model: the contact sheet of its training."""

KIND, NAME = "models", "refiner"
"""Folder of a shot, and name of its versions: one model serves everybody in the shot."""


def newest(shot: Shot, before: int | None = None) -> Model | None:
    """Return the model of the last version, ``before`` one if given; None when there is none."""
    numbers = shot.versions(KIND, NAME)
    earlier = [number for number in numbers if before is None or number < before]
    for number in reversed(earlier):
        path = shot.version(KIND, NAME, number) / MODEL
        if path.exists():
            return Model(path)
        note("train", f"{path.parent.name} has no model yet: an earlier one serves")
    return None
