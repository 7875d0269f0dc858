"""Digests of everything that the demo and a short training compute, to the bit: JSON on stdout.

Run as a child process by test_bits.py, so that nothing is loaded before `FIXED` is set.
"""

import json
import sys
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

from lifemask.nodes import progress
from lifemask.nodes.errors import StoppedError
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.refiner.versions import BASE
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap.roles import cast_of
from lifemask.nodes.train import Train
from lifemask.plugin.commands.cli import main

FOOTAGE = Path(__file__).parent / "footage"
RENDERS = FOOTAGE / "a1_dialogue/performer_b/beauty/beauty.####.exr"
SPACE = ["--colorspace", "Linear Rec.709 (sRGB)"]
STEPS = 20


def run(*words):
    assert main([str(word) for word in words]) == 0, words


def shot(folder, plate, performer, takes, *frames):
    run("shot", "new", folder, "--plate", plate, *SPACE, "--fps", 24, *frames)
    document = FOOTAGE / f"releases/{performer}.md"
    who = ["--performer", performer]
    run(
        *("release", "add", folder, *who, "--document", document),
        *("--project", "demo", "--expires", "2099-12-31"),
    )
    run("track", folder)
    run("faceset", folder, *who, takes, *SPACE)
    run("faceset", folder, "--double")


def training(folder):
    """Train for `STEPS` steps, however long they take."""

    def listen(said):
        if said.task == "train" and said.done:
            taken.append(said)
            if len(taken) == STEPS:
                raise StoppedError("enough")

    taken = []
    known = Shot.load(folder)
    node = Train(size=64, batch=2, max_examples=8, minutes=60)
    model = folder / "models/refiner_v001"
    with pytest.raises(StoppedError), progress.reporting(listen):
        node(cast_of(known, ["ada"]), BASE, model)
    state = checkpoint.load(model / "checkpoints")
    yield "train/losses", np.array([list(one.values()) for one in state.history])
    yield from ((f"train/{name}", value.numpy()) for name, value in state.weights.items())


def images(folder):
    """Yield the planes of every frame, by sequence and channel."""
    import OpenEXR

    for path in sorted(folder.rglob("*.exr")):
        with OpenEXR.File(str(path), separate_channels=True) as file:
            for name, channel in file.channels().items():
                yield f"{path.relative_to(folder.parent).parent}/{name}", channel.pixels


def numbers(folder):
    """Yield the arrays of tracks and facesets."""
    from safetensors.numpy import load_file

    for path in sorted([*folder.glob("track/*"), *folder.glob("facesets/*/*.safetensors")]):
        for name, array in load_file(path).items():
            yield f"{path.relative_to(folder.parent)}/{name}", array


def digests(arrays):
    found = defaultdict(sha256)
    for name, array in arrays:
        found[name].update(f"{array.dtype} {array.shape}".encode())
        found[name].update(np.ascontiguousarray(array).tobytes())
    return {name: one.hexdigest()[:16] for name, one in sorted(found.items())}


def everything(folder):
    first, second = folder / "sh010", folder / "sh020"
    shot(first, RENDERS, "ada", FOOTAGE / "takes/ada_*/*.####.exr")
    run("swap", first, "--likeness", "ada")
    studio = FOOTAGE / "takes/ada_studio/ada_studio.####.exr"
    shot(second, studio, "ben", RENDERS, "--frames", "1001-1008")
    run("swap", second, "--likeness", "ben", "--shutter-angle", 90)
    for one in (first, second):
        yield from numbers(one)
        yield from images(one)
    yield from training(first)


if __name__ == "__main__":
    torch.set_num_threads(1)
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(digests(everything(Path(sys.argv[1]))), indent=1), file=out)
