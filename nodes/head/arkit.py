"""The names of an expression's coefficients: ARKit's blendshapes, in Live Link Face's order."""

from lifemask.nodes.faces.blendshapes import NAMES as TRACKED

_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")

NAMES = (
    *(f"eye{name}{side}" for side in ("Left", "Right") for name in _EYE),
    *("jawForward", "jawRight", "jawLeft", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp"),
    *("browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("noseSneerLeft", "noseSneerRight", "tongueOut"),
)
"""All 52. "Left" is the person's own left."""

FROM_TRACKED = tuple(TRACKED.index(name) for name in NAMES[:-1])
"""Where each of the `NAMES` is among those of `faces.blendshapes`, which has no tongue."""


def other_side(name: str) -> str:
    """Return the name of the same motion on the other side of the face."""
    if "Left" in name:
        return name.replace("Left", "Right")
    return name.replace("Right", "Left")


MIRRORED = tuple(NAMES.index(other_side(name)) for name in NAMES)
"""Where each of the `NAMES` has its coefficient in a face's mirror image."""
